/** Audit records of one judgement, held back until it is final and the path to name in them is known. */
import type { AuditPort, Digest } from '../ima/ports.js';

type IntegrityRecord = Parameters<AuditPort['integrity']>[0];

export class HeldAudit implements AuditPort {
  readonly #records: ((audit: AuditPort) => void)[] = [];

  integrity(record: IntegrityRecord): void {
    this.#records.push((audit) => audit.integrity(record));
  }

  measurement(digest: Digest): void {
    this.#records.push((audit) => audit.measurement(digest));
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  releaseTo(audit: AuditPort): void {
    for (const record of this.#records) record(audit);
  }
}
