/** A measurement list in memory, and an Ima that measures into it. */
import { createIma, type Ima, type ImaOptions } from '../../src/ima/ima.js';
import type { ListEntry } from '../../src/ima/list/entry.js';
import { asciiLine } from '../../src/ima/list/show-entry.js';
import { type Addition, ListFailed, type ListPort } from '../../src/ima/ports.js';
import { templateByName } from '../../src/ima/template/template.js';

export class FakeList implements ListPort {
  readonly entries: ListEntry[] = [];
  /** Set: nothing is taken, for this reason. */
  failing: string | undefined;
  /** Set: taken, but the TPM does not answer. */
  tpmError: number | undefined;

  add(entry: ListEntry): Promise<Addition> {
    if (this.failing !== undefined) return Promise.reject(new ListFailed(this.failing));
    const line = asciiLine('sha256', entry);
    const isThere = this.entries.some((known) => asciiLine('sha256', known) === line);
    if (isThere && !entry.isViolation) return Promise.resolve({ state: 'exists' });
    this.entries.push(entry);
    return Promise.resolve(
      this.tpmError === undefined ? { state: 'added' } : { state: 'unextended', rc: this.tpmError },
    );
  }

  /** What lists show behind the digests. */
  lines(): string[] {
    return this.entries.map((entry) => asciiLine('sha1', entry).slice(0, -1));
  }
}

export interface FakeIma extends Ima {
  readonly list: FakeList;
}

export const fakeIma = (options: Partial<ImaOptions> = {}): FakeIma => {
  const template = templateByName('ima-ng');
  if (template === undefined) throw new Error('no template ima-ng');
  const list = new FakeList();
  const ima = createIma({
    mode: 'enforce',
    hashAlgorithm: 'sha256',
    template,
    pcr: 10,
    iintCapacity: 100,
    ...options,
    list,
  });
  return { ...ima, list };
};
