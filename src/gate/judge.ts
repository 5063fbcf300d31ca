/** Asks every policy that has a say about one open, hook by hook; the first refusal ends it. */
import type { OpenUpcall } from '../binding/addon-types.js';
import type { HookCall } from '../ima/hooks-of-open.js';
import { type Denied, processMeasurement, type Verdict } from '../ima/process-measurement.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { Judge } from '../namespaces/registry.js';
import type { Sharing } from '../namespaces/sharing.js';
import { HeldAudit } from './held-audit.js';
import { isDirect, isForWriting } from './open-flags.js';
import type { OpenedFile } from './opened-file.js';
import type { Settling } from './settling.js';

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
  readonly settling: Pick<Settling, 'writersOwn' | 'hasWriterOf'>;
  readonly sharing: Pick<Sharing, 'mayWrite'>;
}

export const judgeOpen = async (
  judges: readonly Judge[],
  hooks: readonly HookCall[],
  file: OpenedFile,
  upcall: OpenUpcall,
  { settling, sharing }: JudgeParts,
): Promise<Judgement> => {
  const writable = isForWriting(upcall.flags);
  const audit: JudgeRecords[] = [];
  const verdicts: Verdict[] = [];
  const passed = new Set<Namespace>();
  const namespaces = judges.map(({ namespace }) => namespace);
  for (const judge of judges) {
    const records = new HeldAudit();
    audit.push({ judge, records });
    file.mayFix = sharing.mayWrite(judge.namespace, file.object, { judges: namespaces, passed });
    file.hasOwnWriter = settling.hasWriterOf(file.node, judge.scope.id);
    for (const { hook, subject } of hooksAndSubjects(hooks, judge)) {
      const writersOwn = settling.writersOwn(file.node, judge.scope.id);
      const verdict = await processMeasurement(judge.ima, records, {
        hook: hook.hook,
        mask: hook.mask,
        subject,
        file,
        writable,
        directIo: isDirect(upcall.flags),
        writersOwn,
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
    allowed.every(({ cause }) => cause === undefined) &&
    namespaces.every((namespace) =>
      sharing.mayWrite(namespace, file.object, { judges: namespaces, passed }),
    );
  return {
    refusal: undefined,
    isVouchedFor: allowed.some(({ status }) => status === 'PASS'),
    cacheable: allowed.every(({ cacheable }) => cacheable),
    mayLabel,
    wantsLabel: allowed.some(({ mayUpdateXattr, decision }) => mayUpdateXattr || decision.hash),
    audit,
  };
};

const REFUSED = {
  cacheable: false,
  isVouchedFor: false,
  mayLabel: false,
  wantsLabel: false,
};

/** Each hook for each set of credentials: all must pass, so the stricter result counts. */
const hooksAndSubjects = (hooks: readonly HookCall[], { subjects }: Judge) =>
  hooks.flatMap((hook) => subjects.map((subject) => ({ hook, subject })));
