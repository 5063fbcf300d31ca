import type { PolicyDecision } from './match-policy.js';

/** Some hundred bytes each. */
const MOST = 1024;

/**
 * What one policy decided of late. Users and owners of files are few, and a walk over a thousand rules
 * that no cache of the processor holds any more costs as much as hashing a small file.
 */
export class RecentDecisions {
  readonly #byQuestion = new Map<string, PolicyDecision>();

  find(question: string): PolicyDecision | undefined {
    return this.#byQuestion.get(question);
  }

  keep(question: string, decision: PolicyDecision): PolicyDecision {
    if (this.#byQuestion.size === MOST) this.#byQuestion.clear();
    this.#byQuestion.set(question, decision);
    return decision;
  }
}
