/** Audit records of one judgement, held back until it is final and the path to name in them is known. */
import type { AuditPort, Digest } from '../ima/ports.js';

type IntegrityRecord = Parameters<AuditPort['integrity']>[0];

export class HeldAudit implements AuditPort {
  /** The name of the task in records to come, where it is not the caller's of now. */
  comm: string | undefined;
  #records: ((audit: AuditPort) => void)[] = [];
  /** Of what is in the list by now, whatever becomes of the rest. */
  readonly #ofList: ((audit: AuditPort) => void)[] = [];

  integrity(record: IntegrityRecord): void {
    const records = record.type === 1804 ? this.#ofList : this.#records;
    const { comm } = this;
    records.push((audit) => audit.integrity(comm === undefined ? record : { ...record, comm }));
  }

  measurement(digest: Digest): void {
    const { comm } = this;
    this.#records.push((audit) => audit.measurement(digest, comm));
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
