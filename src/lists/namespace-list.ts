/**
 * The measurement list of one namespace with its PCRs (the ListPort): what is added is journalled, then
 * extended, then there. What happens when a TPM is lost or was reset is in kept-list.ts.
 */
import type { ListEntry } from '../ima/list/entry.js';
import { type Addition, type HashAlgorithm, ListFailed, type ListPort } from '../ima/ports.js';
import { JournalFailed, type Tpm, TpmFailed } from '../tpm/tpm.js';
import { KeptList, type ListStanding } from './kept-list.js';
import type { ListSettings } from './list-settings.js';
import type { ListDirectory } from './list-state.js';
import type { MeasurementList } from './measurement-list.js';
import { encodeRecord, Record } from './record.js';

/** Of a TPM of a PC; evmctl wants to see all from the first on. */
const PCRS = 24;

export class NamespaceList implements ListPort {
  readonly #kept: KeptList;
  /** What is being added, by template hash and PCR; violations under a key of their own. */
  readonly #underWay = new Map<string, Promise<Addition>>();
  #violationsBegun = 0;
  /** Nothing is added until this is done. */
  #gate: Promise<unknown> = Promise.resolve();

  constructor(private readonly settings: ListSettings) {
    this.#kept = new KeptList(settings, (work) => this.#exclusively(work));
  }

  /** What control files read; undefined while there is none. */
  get current(): MeasurementList | undefined {
    return this.#kept.list;
  }

  get standing(): ListStanding {
    return this.#kept.standing;
  }

  /** What is wrong, a sentence. */
  get problem(): string | undefined {
    return this.#kept.problem;
  }

  /** Entries that the PCRs are known to have, from the beginning on. */
  get extended(): number {
    return this.#kept.extended;
  }

  get tpm(): Tpm | undefined {
    return this.#kept.tpm;
  }

  get directory(): ListDirectory {
    return this.settings.directory;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#kept.list?.bytes ?? 0;
  }

  /** Begins the list with this TPM, or goes on with the one kept. Rejects with ListProblem or TpmFailed. */
  open(tpm: Tpm, choice: string): Promise<void> {
    return this.#exclusively(() => this.#kept.open(tpm, choice));
  }

  /**
   * Another TPM for a list in which nothing was measured yet: it begins anew there. Rejects as `open`
   * if it cannot begin with it; false if something was measured.
   */
  async changeTpm(choice: string, open: () => Promise<Tpm>): Promise<boolean> {
    if (choice === this.#kept.choice && this.#kept.standing === 'in step') return true;
    if (!this.#isFresh()) return false;
    const tpm = await open();
    const change = { isDone: false };
    try {
      await this.#exclusively(async () => {
        if (!this.#isFresh()) return;
        await this.#kept.change(tpm, choice, () => (change.isDone = true));
      });
    } finally {
      if (!change.isDone) await tpm.close();
    }
    return change.isDone;
  }

  /** Values of a bank's PCRs, those the list uses among them; none where the TPM has no such bank. */
  async pcrValues(bank: HashAlgorithm): Promise<ReadonlyMap<number, Uint8Array>> {
    const { tpm, list } = this.#kept;
    const values = new Map<number, Uint8Array>();
    if (tpm === undefined || !tpm.banks.includes(bank)) return values;
    const all = Array.from({ length: PCRS }, (_, pcr) => pcr);
    for (const pcr of new Set([...all, ...(list?.pcrs ?? [])])) {
      const value = (await tpm.read(pcr)).get(bank);
      if (value !== undefined) values.set(pcr, value);
    }
    return values;
  }

  /** ima_add_template_entry (ima_queue.c) */
  async add(entry: ListEntry): Promise<Addition> {
    for (let gate: unknown; gate !== this.#gate; ) {
      gate = this.#gate;
      await gate;
    }
    const { list, tpm } = this.#kept;
    if (list === undefined || tpm === undefined || this.#kept.standing === 'closed') {
      throw new ListFailed('closed');
    }
    const bytes = encodeRecord(entry);
    const { sha256 } = new Record(bytes, 0);
    const key = entry.isViolation
      ? `violation ${(this.#violationsBegun += 1)}`
      : `${entry.pcr} ${sha256.toString('latin1')}`;
    if (!entry.isViolation) {
      const position = list.find(sha256, entry.pcr);
      if (position !== undefined) return this.#existing(position);
      const same = this.#underWay.get(key);
      if (same !== undefined) {
        const addition = await same;
        return addition.state === 'added' ? { state: 'exists' } : addition;
      }
    }
    const adding = this.#append(list, tpm, bytes);
    this.#underWay.set(key, adding);
    return adding.finally(() => this.#underWay.delete(key));
  }

  /** Stops; what is under way is done first. The TPM is closed with it. */
  close(): Promise<void> {
    return this.#exclusively(() => this.#kept.close());
  }

  /** The namespace ended: list and TPM go with it. */
  async discard(): Promise<void> {
    await this.close();
    this.settings.directory.remove();
  }

  /** Nothing was measured yet but what begins every list. */
  #isFresh(): boolean {
    return (this.#kept.list?.count ?? 0) <= 1 && this.#underWay.size === 0;
  }

  #existing(position: number): Addition {
    // An entry that no PCR has is as good as none where that is demanded.
    if (this.settings.isRequired && position >= this.#kept.extended) throw this.#kept.lost();
    return { state: 'exists' };
  }

  /** Journals and extends, in the order of the calls. */
  async #append(list: MeasurementList, tpm: Tpm, bytes: Buffer): Promise<Addition> {
    const record = new Record(bytes, 0);
    const { pcr } = record;
    this.#refuse(list, bytes.length);
    if (!this.#kept.mayExtend(pcr)) await this.#kept.takePcr(pcr);
    const digests = tpm.banks.map((bank) => record.extension(bank));
    try {
      await tpm.extend({ pcr, digests, journal: { fd: list.descriptor, bytes } });
    } catch (error) {
      if (error instanceof JournalFailed) {
        this.#kept.journalFailed(list);
        throw new ListFailed(error.code, { cause: error });
      }
      if (!(error instanceof TpmFailed)) throw error;
      list.appended(bytes);
      this.#kept.fellBehind(error);
      if (this.settings.isRequired)
        throw new ListFailed(`TPM_error(${error.rc})`, { cause: error });
      return { state: 'unextended', rc: error.rc };
    }
    list.appended(bytes);
    this.#kept.wasExtended(list);
    return { state: 'added' };
  }

  #refuse(list: MeasurementList, bytes: number): void {
    if (this.settings.isRequired && this.#kept.standing !== 'in step') throw this.#kept.lost();
    const { mostEntries, mayGrow } = this.settings;
    if (list.count + this.#underWay.size >= mostEntries || !mayGrow(bytes)) {
      throw new ListFailed('EDQUOT');
    }
  }

  /** While `work` is done nothing is added. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#gate.then(async () => {
      await Promise.allSettled(this.#underWay.values());
      await work();
    });
    this.#gate = done.catch(() => undefined);
    return done;
  }
}
