/** A TPM that does what the test says, and entries by name. */
import { writeSync } from 'node:fs';
import { bankHash } from '../../../src/ima/digest/bank-hash.js';
import type { ListEntry } from '../../../src/ima/list/entry.js';
import { entryOf } from '../../../src/ima/store-measurement.js';
import { NOTHING } from '../../../src/ima/template/field.js';
import { templateByName } from '../../../src/ima/template/template.js';
import { type ExtendOrder, JournalFailed, type Tpm, TpmFailed } from '../../../src/tpm/tpm.js';

export const templateOf = (name: string) => {
  const template = templateByName(name);
  if (template === undefined) throw new Error(`no template ${name}`);
  return template;
};

export const entryFor = (
  name: string,
  given: { pcr?: number; template?: string; isViolation?: boolean } = {},
): ListEntry => {
  const bytes = bankHash('sha256', Buffer.from(name));
  const isViolation = given.isViolation ?? false;
  const digest = isViolation ? undefined : { algorithm: 'sha256', bytes };
  const legacyDigest = { algorithm: 'sha1', bytes: bytes.subarray(0, 20) };
  const event = { ...NOTHING, isViolation, digest, legacyDigest, defaultAlgorithm: 'sha256' };
  const template = templateOf(given.template ?? 'ima-ng');
  return entryOf(template, given.pcr ?? 10, { ...event, name: Buffer.from(name) });
};

export class FakeTpm implements Tpm {
  readonly name: string = 'swtpm:path=/fake';
  readonly pcrs = 24;
  readonly banks = ['sha1', 'sha256'];
  readonly #values = new Map<string, Uint8Array>();
  resets = 1;
  isLost = false;
  /** After a failure nothing is extended until `resume`. */
  #isStopped = false;
  /** Set: the journal takes nothing. */
  full: string | undefined;
  /** The journal has no room for this one. */
  tooLong: (bytes: Uint8Array) => boolean = () => false;
  extends = 0;
  isClosed = false;
  /** Awaited in the middle of each extend. */
  pause: Promise<unknown> = Promise.resolve();

  async extend({ pcr, digests, journal }: ExtendOrder): Promise<void> {
    if (this.full !== undefined || this.tooLong(journal.bytes)) {
      throw new JournalFailed(this.full ?? 'ENOSPC');
    }
    writeSync(journal.fd, journal.bytes);
    await this.pause;
    if (this.isLost) this.#isStopped = true;
    if (this.#isStopped) throw new TpmFailed('the fake is lost', 0xa000a);
    this.extends += 1;
    this.banks.forEach((bank, index) => {
      const value = Buffer.concat([this.#value(bank, pcr), digests[index] ?? Buffer.alloc(0)]);
      this.#values.set(`${bank} ${pcr}`, bankHash(bank, value));
    });
  }

  read(pcr: number): Promise<ReadonlyMap<string, Uint8Array>> {
    if (this.isLost) return Promise.reject(new TpmFailed('the fake is lost', 0xa000a));
    return Promise.resolve(new Map(this.banks.map((bank) => [bank, this.#value(bank, pcr)])));
  }

  resetCount(): Promise<number> {
    return Promise.resolve(this.resets);
  }

  reconnect(): Promise<void> {
    return this.isLost
      ? Promise.reject(new TpmFailed('the fake is lost', 0xa000a))
      : Promise.resolve();
  }

  resume(): Promise<void> {
    this.#isStopped = this.isLost;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** The PCRs begin anew. */
  reset(): void {
    this.#values.clear();
    this.resets += 1;
  }

  #value(bank: string, pcr: number): Uint8Array {
    return this.#values.get(`${bank} ${pcr}`) ?? new Uint8Array(bank === 'sha1' ? 20 : 32);
  }
}
