import { hooksOfOpen } from '../ima/hooks-of-open.js';
import { createIma, type Ima } from '../ima/ima.js';
import type { Keyring } from '../ima/keyring/keyring.js';
import type { Policy } from '../ima/policy/policy.js';
import { type ActionFamily, familyOf, isDoAction, type Rule } from '../ima/policy/rule.js';
import type { AuditPort, Digest, HashAlgorithm, ImaFile, ListPort, Subject } from '../ima/ports.js';
import { processMeasurement, type Verdict } from '../ima/process-measurement.js';
import { templateByName } from '../ima/template/template.js';
import { isSignature } from '../ima/xattr/decode-xattr.js';
import type { TriedFile } from './tried-file.js';

export const ACCESSES = ['read', 'write', 'execute'] as const;
export type TriedAccess = (typeof ACCESSES)[number];

/** What a policy would do about one access. */
export interface AccessTrial {
  readonly access: TriedAccess;
  /** Unclear: it depends on what nobody looked at here. */
  readonly verdict: 'allowed' | 'refused' | 'unclear';
  /** Kernel string; for `unclear` what was not looked at. */
  readonly cause: string | undefined;
  /** The rules that measure, appraise, audit or hash the file. */
  readonly rules: Readonly<Partial<Record<ActionFamily, Rule>>>;
  /** That refused. */
  readonly rule: Rule | undefined;
  readonly found: Digest | undefined;
  readonly wanted: Digest | undefined;
}

/** What is tried, on each file. */
export interface TrialSetting {
  readonly policy: Policy;
  /** Undefined: nobody said which keys would be there. */
  readonly keyring: Keyring | undefined;
  readonly subject: Subject;
  readonly hashAlgorithm: HashAlgorithm;
}

const O_WRONLY = 1;
const PCR = 10;

/** Nothing is kept: what would be measured is told by the rule. */
const NO_LIST: ListPort = { add: () => Promise.resolve({ state: 'added' }) };
const NO_AUDIT: AuditPort = { integrity: () => undefined, measurement: () => undefined };

/** Judges accesses by the very code that judges them on a mount, in enforce mode. */
export class AccessTrials {
  readonly #ima: Ima;
  #nodes = 0;

  constructor(private readonly setting: TrialSetting) {
    const template = templateByName('ima-ng');
    if (template === undefined) throw new Error('there is no template ima-ng');
    const { policy, keyring, hashAlgorithm } = setting;
    this.#ima = createIma({
      ...{ mode: 'enforce', hashAlgorithm, template, pcr: PCR, list: NO_LIST, policy },
      ...(keyring && { keyring }),
      iintCapacity: 1,
    });
  }

  /** Whether what a file holds decides anything: without a label it is refused unread. */
  isCompared(file: Pick<ImaFile, 'imaXattr'>): boolean {
    return (
      this.setting.policy.has('appraise') &&
      (file.imaXattr !== undefined || this.#ima.keyring.blacklist().length > 0)
    );
  }

  /** `name`: the last component; `head`: the file's first page. */
  async try(
    access: TriedAccess,
    file: TriedFile,
    name: string,
    head: Uint8Array,
  ): Promise<AccessTrial> {
    const flags = access === 'write' ? O_WRONLY : 0;
    const exec = access === 'execute';
    this.#nodes += 1;
    file.node = this.#nodes;
    const rules: Partial<Record<ActionFamily, Rule>> = {};
    for (const call of hooksOfOpen({
      flags,
      exec,
      succeeding: false,
      head,
      name,
      isFirmware: false,
      mmapCheck: 'elf',
    })) {
      const verdict = await processMeasurement(this.#ima, NO_AUDIT, {
        ...call,
        ...{ subject: this.setting.subject, file, writable: access === 'write', directIo: false },
        ...{ writersOwn: false, writersSince: undefined, mayHaveWriters: () => false },
        name: () => Promise.resolve(Buffer.from(name)),
        hasReaders: () => Promise.resolve(false),
        hasWriters: () => Promise.resolve(false),
      });
      for (const rule of Object.values(verdict.decision.rules)) {
        if (isDoAction(rule.action)) rules[familyOf(rule.action)] ??= rule;
      }
      if (!verdict.allowed) return { access, rules, ...this.#refused(verdict, file) };
    }
    const nothing = { cause: undefined, rule: undefined, found: undefined, wanted: undefined };
    return { access, verdict: 'allowed', rules, ...nothing };
  }

  #refused(
    verdict: Verdict & { readonly allowed: false },
    file: TriedFile,
  ): Omit<AccessTrial, 'access' | 'rules'> {
    const { rule, cause, found, wanted } = verdict;
    const facts = { rule, found, wanted };
    // A signature of another form than the rule wants is refused whosever it is.
    const isAboutKeys = cause === 'invalid-signature' || cause === 'invalid-verity-signature';
    if (isAboutKeys && this.setting.keyring === undefined && isSignature(file.imaXattr)) {
      return { ...facts, verdict: 'unclear', cause: 'the signature was not verified: give --keys' };
    }
    if (rule?.appraise_type === 'imasig|modsig') {
      const unread = 'a signature behind the content was not looked for';
      return { ...facts, verdict: 'unclear', cause: unread };
    }
    return { ...facts, verdict: 'refused', cause };
  }
}
