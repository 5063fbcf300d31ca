/** Audit records of one judgement, held back until it is final and the path to name in them is known. */
import type { AuditPort, Digest } from '../ima/ports.js';

type IntegrityRecord = Parameters<AuditPort['integrity']>[0];

export class HeldAudit implements AuditPort {
  #records: ((audit: AuditPort) => void)[] = [];
  /** Of what is in the list by now, whatever becomes of the rest. */
  readonly #ofList: ((audit: AuditPort) => void)[] = [];

  integrity(record: IntegrityRecord): void {
    const records = record.type === 1804 ? this.#ofList : this.#records;
    records.push((audit) => audit.integrity(record));
  }

  measurement(digest: Digest): void {
    this.#records.push((audit) => audit.measurement(digest));
  }

  /** It is judged anew: what was said about the file holds for nothing. */
  dropJudgement(): void {
    this.#records = [];
  }

  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#ofList.length === 0;
  }

  releaseTo(audit: AuditPort): void {
    for (const record of [...this.#ofList, ...this.#records]) record(audit);
  }
}
