/**
 * POLICY_CHECK: a policy file named by path is measured, appraised and audited by the policy that it is
 * to be added to (ima_read_policy, kernel_read_file with READING_POLICY).
 */
import { readFile } from 'node:fs/promises';
import type { AuditLog } from '../audit/audit-log.js';
import { parseMountinfo } from '../base/mountinfo.js';
import { pathBytes } from '../base/path-bytes.js';
import type { Caller, FileOfCaller } from '../binding/addon-types.js';
import { MAY_READ } from '../ima/ports.js';
import { processMeasurement } from '../ima/process-measurement.js';
import { subjectsOf } from './caller.js';
import { imaView } from './ima-view.js';
import type { Namespace } from './namespace.js';
import { PolicyFile } from './policy-file.js';

/** The cause for which the file must not be loaded, undefined if it may. */
export type PolicyCheck = (
  namespace: Namespace,
  caller: Caller,
  path: string,
  read: FileOfCaller,
) => Promise<string | undefined>;

export const policyCheck =
  (audit: Pick<AuditLog, 'forAccess'>): PolicyCheck =>
  async (namespace, caller, path, read) => {
    const { device, ino } = read.file;
    const file = new PolicyFile(read, await fileSystemName(caller, device));
    const access = audit.forAccess({ namespace: namespace.name, caller, path, device, ino });
    // Nothing is kept of it: it is another file each time.
    const ima = imaView(namespace.ima, 1);
    const alone = () => Promise.resolve(false);
    for (const subject of subjectsOf(caller)) {
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
const fileSystemName = async ({ tid }: Caller, device: string): Promise<string> => {
  const mounts = parseMountinfo(await readFile(`/proc/${tid}/mountinfo`, 'latin1'));
  return mounts.find((mount) => mount.device === device)?.type ?? 'unknown';
};
