/** Asks every policy that has a say about one open, hook by hook; the first refusal ends it. */
import { pathBytes } from '../base/path-bytes.js';
import type { NativeTransport, OpenUpcall } from '../binding/addon-types.js';
import type { HookCall } from '../ima/hooks-of-open.js';
import { postCreateTmpfile } from '../ima/is-new-file.js';
import { type Denied, processMeasurement, type Verdict } from '../ima/process-measurement.js';
import { checkWriterViolation } from '../ima/violation-check.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { Paths } from '../namespaces/paths.js';
import type { Judge, Registry } from '../namespaces/registry.js';
import type { Sharing } from '../namespaces/sharing.js';
import { HeldAudit } from './held-audit.js';
import { isDirect, isForWriting } from './open-flags.js';
import type { OpenedFile } from './opened-file.js';
import { OtherOpens, type OtherOpensParts } from './other-opens.js';
import type { Settling } from './settling.js';

/** A hook, and what the caller is called in it if that is not its name of before. */
export interface JudgedHook extends HookCall {
  readonly comm: string | undefined;
}

/** Audit records that one judge's policy made. */
export interface JudgeRecords {
  readonly judge: Judge;
  readonly records: HeldAudit;
}

export interface Refusal {
  readonly judge: Judge;
  readonly hook: HookCall;
  readonly verdict: Denied;
}

export interface Judgement {
  /** Undefined: all allow it. */
  readonly refusal: Refusal | undefined;
  /** It would be allowed again without a trace. */
  readonly cacheable: boolean;
  /** Some policy appraised the file and found it right. */
  readonly isVouchedFor: boolean;
  /**
   * security.ima may be written once the file's writers have ended, as far as this open goes: nobody
   * only tolerated the file, and whoever could appraise it found it right.
   */
  readonly mayLabel: boolean;
  /** Some policy wants the hash written at the last writer's close. */
  readonly wantsLabel: boolean;
  readonly audit: readonly JudgeRecords[];
}

export interface JudgeParts {
  readonly settling: Pick<Settling, 'writersOwn' | 'writersSince' | 'hasWriterOf'>;
  readonly addon: OtherOpensParts['addon'];
  readonly leasesTell: boolean;
  readonly transport: OtherOpensParts['transport'] & Pick<NativeTransport, 'voidNode'>;
  readonly sharing: Pick<Sharing, 'mayWrite'>;
  readonly registry: Pick<Registry, 'known'>;
  readonly paths: Pick<Paths, 'ofSystem' | 'ofCaller'>;
}

export const judgeOpen = async (...what: Parameters<typeof askPolicies>): Promise<Judgement> => {
  const [judges, , file, { flags }, { settling }] = what;
  let isWriter = false;
  try {
    const judgement = await askPolicies(...what);
    isWriter = isForWriting(flags) && judgement.refusal === undefined;
    return judgement;
  } finally {
    // All hooks of this open were about one content; of the next open's nobody can say that, unless both
    // are of the file's own writers.
    if (file.isFresh && file.mayKeep && !isWriter) {
      for (const { ima, scope } of judges) {
        if (!settling.hasWriterOf(file.node, scope.id)) ima.iints.find(file.node)?.distrust();
      }
    }
  }
};

const askPolicies = async (
  judges: readonly Judge[],
  hooks: readonly JudgedHook[],
  file: OpenedFile,
  upcall: OpenUpcall,
  parts: JudgeParts,
  /** Takes the records, also if this rejects. */
  audit: JudgeRecords[],
): Promise<Judgement> => {
  const { settling, sharing } = parts;
  const writable = isForWriting(upcall.flags);
  const verdicts: Verdict[] = [];
  const passed = new Set<Namespace>();
  let makersWantLabel = false;
  const namespaces = judges.map(({ namespace }) => namespace);
  const others = new OtherOpens(upcall, parts, file);
  const hasReaders = () => others.hasReaders();
  const hasWriters = () => others.hasWriters();
  if (writable) {
    // Readers to come are asked about: if this open is refused, its violation is spent nevertheless.
    parts.transport.voidNode(file.node);
    // Where leases tell, settling has asked one.
    if (!parts.leasesTell) await endWriterPeriod(others, file.node, parts.registry);
  }
  for (const judge of writable ? bystanders(judges, parts.registry) : []) {
    const records = new HeldAudit();
    audit.push({ judge, records });
    // Not as the writer sees it: his mounts are nothing to them.
    const name = () => Promise.resolve(pathBytes(upcall.path));
    const cause = await checkWriterViolation(judge.ima, records, { file, name, hasReaders });
    // A list of others that is full or closed is no reason to refuse who has nothing to do with it.
    if (cause === undefined) continue;
    judge.ima.violations.takeTomtou(file.node);
    judge.namespace.record('list', { violation: upcall.path, cause });
  }
  for (const judge of judges) {
    const records = new HeldAudit();
    audit.push({ judge, records });
    const name = () => nameFor(judge.namespace, upcall, parts.paths);
    file.mayFix = sharing.mayWrite(judge.namespace, file.object, { judges: namespaces, passed });
    file.hasOwnWriter = settling.hasWriterOf(file.node, judge.scope.id);
    const writersSince = settling.writersSince(file.node, judge.scope.id);
    if (upcall.nameless && postCreateTmpfile(judge.ima, judge.subjects, file)) {
      makersWantLabel = true;
    }
    for (const { hook, subject } of hooksAndSubjects(hooks, judge)) {
      records.comm = hook.comm;
      const writersOwn = settling.writersOwn(file.node, judge.scope.id);
      const verdict = await processMeasurement(judge.ima, records, {
        hook: hook.hook,
        mask: hook.mask,
        subject,
        file,
        writable,
        directIo: isDirect(upcall.flags),
        writersOwn,
        writersSince,
        name,
        hasReaders,
        hasWriters,
        mayHaveWriters: () => others.mayHaveWriters(),
      });
      verdicts.push(verdict);
      if (verdict.allowed) {
        if (verdict.appraised && verdict.status === 'PASS') passed.add(judge.namespace);
        continue;
      }
      const refusal = { judge, hook, verdict };
      return { ...REFUSED, refusal, audit };
    }
  }
  const allowed = verdicts.filter((verdict) => verdict.allowed);
  const mayLabel =
    // A hash rule wants the label whatever was found (ima_update_xattr).
    allowed.every(
      ({ cause, status, decision }) => cause === undefined || status === 'PASS' || decision.hash,
    ) &&
    namespaces.every((namespace) =>
      sharing.mayWrite(namespace, file.object, { judges: namespaces, passed }),
    );
  return {
    refusal: undefined,
    isVouchedFor: allowed.some(({ status }) => status === 'PASS'),
    cacheable: allowed.every(({ cacheable }) => cacheable),
    mayLabel,
    wantsLabel:
      makersWantLabel ||
      allowed.some(({ mayUpdateXattr, decision }) => mayUpdateXattr || decision.hash),
    audit,
  };
};

const REFUSED = {
  cacheable: false,
  isVouchedFor: false,
  mayLabel: false,
  wantsLabel: false,
};

/**
 * A writer whose handle is still being released may have had its violation; the next one's is another.
 */
const endWriterPeriod = async (
  others: OtherOpens,
  node: number,
  registry: JudgeParts['registry'],
): Promise<void> => {
  const lists = registry.known().map(({ ima }) => ima.violations);
  if (lists.every((violations) => violations.mayEmitOpenWriters(node))) return;
  if (await others.hasWriters()) return;
  for (const violations of lists) violations.writersEnded(node);
};

/** Those whose lists may show what a reader of theirs has measured, though they do not judge the writer. */
const bystanders = (judges: readonly Judge[], registry: JudgeParts['registry']): Judge[] => {
  const asked = new Set(judges.map(({ namespace }) => namespace));
  const [caller] = judges;
  return registry
    .known()
    .filter((namespace) => !asked.has(namespace))
    .filter((namespace) => namespace.ima.policy.has('measure'))
    .map((namespace) => {
      return { namespace, scope: caller?.scope ?? namespace, ima: namespace.ima, subjects: [] };
    });
};

/** The path as the namespace sees it that the list or the record is of. */
export const pathFor = (
  namespace: Namespace,
  { caller, path }: OpenUpcall,
  paths: JudgeParts['paths'],
): Promise<string> =>
  namespace.isSystem ? Promise.resolve(paths.ofSystem(path)) : paths.ofCaller(caller.tid, path);

const nameFor = async (...what: Parameters<typeof pathFor>): Promise<Uint8Array> =>
  pathBytes(await pathFor(...what));

/** Each hook for each set of credentials: all must pass, so the stricter result counts. */
const hooksAndSubjects = (hooks: readonly JudgedHook[], { subjects }: Judge) =>
  hooks.flatMap((hook) => subjects.map((subject) => ({ hook, subject })));
