/**
 * POLICY_CHECK: a policy file named by path is measured, appraised and audited by every policy that judges
 * its writer, and by the one that it is to be added to (ima_read_policy, READING_POLICY).
 */
import { readFile } from 'node:fs/promises';
import type { AuditLog } from '../audit/audit-log.js';
import { parseMountinfo } from '../base/mountinfo.js';
import { pathBytes } from '../base/path-bytes.js';
import type { Caller, FileOfCaller } from '../binding/addon-types.js';
import type { Rule } from '../ima/policy/rule.js';
import { MAY_READ, type ObjectFacts } from '../ima/ports.js';
import { processMeasurement } from '../ima/process-measurement.js';
import { subjectsOf } from './caller.js';
import { imaView } from './ima-view.js';
import type { Namespace } from './namespace.js';
import { PolicyFile } from './policy-file.js';
import type { Registry } from './registry.js';
import { labelledSubjects } from './subject-label.js';

/** The cause for which the file must not be loaded, undefined if it may. */
export type PolicyCheck = (
  namespace: Namespace,
  caller: Caller,
  path: string,
  read: FileOfCaller,
) => Promise<string | undefined>;

type FileSystem = Pick<ObjectFacts, 'fsName' | 'fsSubtype' | 'fsUuid'>;

export interface PolicyCheckParts {
  readonly registry: Pick<Registry, 'judges'>;
  readonly audit: Pick<AuditLog, 'forAccess'>;
  /** The backing file system, and its device. */
  readonly backing: FileSystem & { readonly device: string };
}

export const policyCheck =
  ({ registry, audit, backing }: PolicyCheckParts): PolicyCheck =>
  async (target, caller, path, read) => {
    const isOwn = read.file.device === backing.device;
    const fileSystem = isOwn ? backing : await fileSystemOf(caller, read.file.device);
    const judges = (await registry.judges(caller)).map(({ namespace }) => namespace);
    for (const judge of new Set([...judges, target])) {
      if (judge.ima.policy.rules.some((rule) => asksWhatIsUnknown(rule, isOwn))) {
        return 'a rule about POLICY_CHECK asks what is not known of this file';
      }
      const cause = await checkBy(judge, caller, path, new PolicyFile(read, fileSystem), audit);
      if (cause !== undefined) return cause;
    }
    return undefined;
  };

/** A rule that cannot be answered would not match, and so let the file pass. */
const asksWhatIsUnknown = (rule: Rule, isOwn: boolean): boolean => {
  const { func, fsuuid, fs_subtype, obj_user, obj_role, obj_type } = rule;
  const ofOthers = isOwn ? [] : [fsuuid, fs_subtype];
  return (
    func === 'POLICY_CHECK' &&
    [...ofOthers, obj_user, obj_role, obj_type].some((one) => one !== undefined)
  );
};

const checkBy = async (
  judge: Namespace,
  caller: Caller,
  path: string,
  file: PolicyFile,
  audit: PolicyCheckParts['audit'],
): Promise<string | undefined> => {
  const { device, ino } = file.place;
  const access = audit.forAccess({ namespace: judge.name, caller, path, device, ino });
  // Nothing is kept of it: it is another file each time.
  const ima = imaView(judge.ima, 1);
  const alone = () => Promise.resolve(false);
  for (const subject of labelledSubjects(subjectsOf(caller), ima.policy, caller)) {
    const verdict = await processMeasurement(ima, access, {
      hook: 'POLICY_CHECK',
      mask: MAY_READ,
      subject,
      file,
      writable: false,
      directIo: false,
      writersOwn: false,
      writersSince: undefined,
      name: () => Promise.resolve(pathBytes(path)),
      hasReaders: alone,
      hasWriters: alone,
      mayHaveWriters: () => false,
    });
    await access.settled();
    if (!verdict.allowed) return verdict.cause;
  }
  return undefined;
};

/** As the writer's mount namespace names it: the file need not be on a file system that we see. */
const fileSystemOf = async ({ tid }: Caller, device: string): Promise<FileSystem> => {
  const mounts = parseMountinfo(await readFile(`/proc/${tid}/mountinfo`, 'latin1'));
  const type = mounts.find((mount) => mount.device === device)?.type ?? 'unknown';
  const [fsName = type] = type.split('.', 1);
  return { fsName, fsSubtype: undefined, fsUuid: undefined };
};
