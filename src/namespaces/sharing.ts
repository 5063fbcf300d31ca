/**
 * security.ima is one for all namespaces, so not every policy may have it written (DESIGN section 4,
 * "security.ima is shared"): what one namespace writes, another one's exec may rely on.
 */
import type { NamespacePolicy } from '../daemon-options.js';
import { LSM_WORDS } from '../ima/policy/lsm-conditions.js';
import { matchPolicy } from '../ima/policy/match-policy.js';
import { Policy } from '../ima/policy/policy.js';
import { familyOf, type Rule } from '../ima/policy/rule.js';
import { MAY_READ, type ObjectFacts, type Subject } from '../ima/ports.js';
import type { Namespace } from './namespace.js';

export class Sharing {
  /** For each policy what it says of files alone, whoever asks and how. */
  readonly #ofObjects = new WeakMap<Policy, Policy>();

  constructor(
    private readonly registry: { readonly system: Namespace; known(): Namespace[] },
    private readonly nsPolicy: NamespacePolicy,
  ) {}

  /**
   * Whether security.ima of the file may be written because `judge`'s policy wants it. `judges`: who
   * was asked; `passed`: those of them whose policies appraised this very access and found the file
   * right. One that had nothing to say of it has not agreed: under another hook it may rely on the
   * label. Under `replace` whoever is active counts as asked.
   */
  mayWrite(
    judge: Namespace,
    object: ObjectFacts,
    { judges, passed }: { judges: readonly Namespace[]; passed: ReadonlySet<Namespace> },
  ): boolean {
    if (judge.isSystem) return true;
    // A container in fix mode would bless what others refuse.
    if (judge.ima.mode === 'fix' && this.registry.system.ima.mode !== 'fix') return false;
    const { system } = this.registry;
    const asked =
      this.nsPolicy === 'replace'
        ? this.registry.known().filter(({ isActive }) => isActive)
        : [system, ...judges];
    return asked
      .filter((other) => other !== judge && !passed.has(other))
      .every((other) => !this.#mayAppraise(other.ima.policy, object));
  }

  /** Whether some access to the file could be appraised. */
  #mayAppraise(policy: Policy, object: ObjectFacts): boolean {
    const ofObjects = this.#ofObjects.get(policy) ?? new Policy(policy.rules.flatMap(ofObject));
    this.#ofObjects.set(policy, ofObjects);
    const query = { hook: 'FILE_CHECK', mask: MAY_READ, subject: ANYBODY, object } as const;
    return matchPolicy(ofObjects, query, new Set(['appraise'])).appraise !== undefined;
  }
}

/** No condition on the subject is left to look at it. */
const ANYBODY: Subject = {
  uid: 0,
  euid: 0,
  suid: 0,
  gid: 0,
  egid: 0,
  sgid: 0,
  capSetuid: false,
  capSetgid: false,
};

/** What an access may differ in, and the group and the label, which owners may change. */
const OF_ACCESS: readonly (keyof Rule)[] = [
  'func',
  'mask',
  'uid',
  'euid',
  'gid',
  'egid',
  'fgroup',
  ...LSM_WORDS,
];

/**
 * An appraise rule without those conditions; a dont_appraise rule only if it has none of them, for else it
 * leaves some access appraised.
 */
const ofObject = (rule: Rule): Rule[] => {
  if (familyOf(rule.action) !== 'appraise') return [];
  const isConditional = OF_ACCESS.some((name) => rule[name] !== undefined);
  if (rule.action === 'dont_appraise' && isConditional) return [];
  const rest = Object.entries(rule).filter(([name]) => !OF_ACCESS.some((one) => one === name));
  return [Object.fromEntries(rest) as unknown as Rule];
};
