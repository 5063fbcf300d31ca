/**
 * The measurement list of one namespace with its PCRs (the ListPort): what is added is journalled, then
 * extended, then there. After a restart or a lost TPM the list goes on where the PCRs are; if the PCRs
 * began anew it is put aside and a new one begins.
 */
import type { Log } from '../base/log.js';
import { bufferEvent } from '../ima/buffer-event.js';
import { bootAggregate, bootBank, bootPcrs } from '../ima/list/boot-aggregate.js';
import { extendDigest, type ListEntry, listDigest } from '../ima/list/entry.js';
import { type Addition, type HashAlgorithm, ListFailed, type ListPort } from '../ima/ports.js';
import { entryOf } from '../ima/store-measurement.js';
import { type Template, templateByName } from '../ima/template/template.js';
import { JournalFailed, type Tpm, TpmFailed } from '../tpm/tpm.js';
import { goesOn, type ListDirectory, type ListState } from './list-state.js';
import { MeasurementList } from './measurement-list.js';
import { entriesInTpm, extendFrom } from './reconcile.js';
import { encodeRecord } from './record.js';

/** The list cannot begin or go on with this TPM; the message is for whoever chose the TPM. */
export class ListProblem extends Error {}

export interface ListSettings {
  readonly directory: ListDirectory;
  /** 64-bit id, decimal. */
  readonly namespace: string;
  readonly bootId: string;
  /** CONFIG_IMA_MEASURE_PCR_IDX */
  readonly pcr: number;
  /** What cannot be extended is refused. */
  readonly isRequired: boolean;
  /** Entries at most. */
  readonly mostEntries: number;
  /** Of the lines that begin a list. */
  readonly template: () => Template;
  readonly hashAlgorithm: () => HashAlgorithm;
  /** A new list began while files were known: what was measured has to be measured again. */
  readonly began: () => void;
  readonly log: Log;
}

/** `in step`: the PCRs have every entry. `behind`: the TPM is lost. `apart`: they differ for good. */
export type ListStanding = 'closed' | 'in step' | 'behind' | 'apart';

/** Of a TPM of a PC; evmctl wants to see all from the first on. */
const PCRS = 24;

/** How often a lost TPM is looked for. */
const RECOVERY_MS = 1000;

export class NamespaceList implements ListPort {
  #list: MeasurementList | undefined;
  #tpm: Tpm | undefined;
  #resetCount = 0;
  #standing: ListStanding = 'closed';
  #problem: string | undefined;
  #lastRc = 0;
  /** Entries that the PCRs are known to have, from the beginning on. */
  #extended = 0;
  /** What is being added, by template hash and PCR; violations under a key of their own. */
  readonly #underWay = new Map<string, Promise<Addition>>();
  #violationsBegun = 0;
  /** Nothing is added until this is done. */
  #gate: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly settings: ListSettings) {}

  /** What control files read; undefined before it is open. */
  get current(): MeasurementList | undefined {
    return this.#list;
  }

  get standing(): ListStanding {
    return this.#standing;
  }

  /** What is wrong, a sentence. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get extended(): number {
    return this.#extended;
  }

  get tpm(): Tpm | undefined {
    return this.#tpm;
  }

  /** Nothing was measured yet but what begins every list. */
  get isFresh(): boolean {
    return (this.#list?.count ?? 0) <= 1 && this.#underWay.size === 0;
  }

  get directory(): ListDirectory {
    return this.settings.directory;
  }

  /** Begins the list with this TPM, or goes on with the one kept. Rejects with ListProblem or TpmFailed. */
  open(tpm: Tpm): Promise<void> {
    return this.#exclusively(async () => {
      this.#tpm = tpm;
      try {
        await this.#open(tpm);
      } catch (error) {
        this.#closeList();
        this.#tpm = undefined;
        throw error;
      }
    });
  }

  /**
   * Another TPM for a list in which nothing was measured yet: it begins anew there. If the list cannot
   * begin with it the old one stays, and this rejects as `open`; false if something was measured.
   */
  async changeTpm(open: () => Promise<Tpm>): Promise<boolean> {
    if (!this.isFresh) return false;
    const tpm = await open();
    let isChanged = false;
    await this.#exclusively(async () => {
      if (!this.isFresh) return;
      await mustBeZero(tpm, this.settings.pcr);
      const before = this.#tpm;
      this.#closeList();
      this.settings.directory.forget();
      this.#tpm = tpm;
      isChanged = true;
      await before?.close();
      await this.#open(tpm).catch((error: unknown) => {
        // Nothing is measured, so what must be is refused, until there is another TPM.
        this.#closeList();
        this.#settle('closed', (error as Error).message);
        throw error;
      });
    }).finally(() => (isChanged ? undefined : tpm.close()));
    return isChanged;
  }

  /** Values of a bank's PCRs, those the list uses among them; none where the TPM has no such bank. */
  async pcrValues(bank: HashAlgorithm): Promise<ReadonlyMap<number, Uint8Array>> {
    const tpm = this.#tpm;
    const values = new Map<number, Uint8Array>();
    if (tpm === undefined || !tpm.banks.includes(bank)) return values;
    const all = Array.from({ length: PCRS }, (_, pcr) => pcr);
    for (const pcr of new Set([...all, ...(this.#list?.pcrs ?? [])])) {
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
    if (this.#list === undefined || this.#tpm === undefined) throw new ListFailed('closed');
    const sha256 = listDigest('sha256', entry);
    const key = entry.isViolation
      ? `violation ${(this.#violationsBegun += 1)}`
      : `${entry.pcr} ${Buffer.from(sha256).toString('latin1')}`;
    if (!entry.isViolation) {
      const position = this.#list.find(sha256, entry.pcr);
      if (position !== undefined) return this.#existing(position);
      const same = this.#underWay.get(key);
      if (same !== undefined) {
        const addition = await same;
        return addition.state === 'added' ? { state: 'exists' } : addition;
      }
    }
    this.#refuseIfFull(this.#list);
    const adding = this.#append(this.#list, this.#tpm, entry);
    this.#underWay.set(key, adding);
    return adding.finally(() => this.#underWay.delete(key));
  }

  /** Stops; what is under way is done first. The TPM is closed with it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#exclusively(async () => {
      await this.#tpm?.close();
      this.#closeList();
      this.#tpm = undefined;
      this.#standing = 'closed';
    });
  }

  /** The namespace ended: list and TPM go with it. */
  async discard(): Promise<void> {
    await this.close();
    this.settings.directory.remove();
  }

  async #open(tpm: Tpm): Promise<void> {
    const { directory, bootId, namespace, pcr } = this.settings;
    directory.make();
    this.#resetCount = await tpm.resetCount();
    const now: ListState = { bootId, tpm: tpm.name, resetCount: this.#resetCount, namespace };
    const goes = goesOn(directory.read(), now);
    if (!goes) {
      await mustBeZero(tpm, pcr);
      const archive = directory.archive();
      if (archive !== undefined) this.settings.log.info({ archive }, 'a measurement list ended');
    }
    const list = new MeasurementList(directory.journal);
    this.#list = list;
    if (goes) await this.#catchUp(list, tpm);
    directory.write(now);
    this.#extended = list.count;
    this.#settle('in step', undefined);
    await this.#mark(list.count === 0 ? await this.#bootEntry(tpm) : this.#restartEntry(list));
  }

  /** After this the PCRs have all of the list. */
  async #catchUp(list: MeasurementList, tpm: Tpm): Promise<void> {
    const known = await entriesInTpm(list, tpm, this.settings.pcr);
    if (known === undefined) throw new ListProblem(apart(tpm, this.settings.pcr));
    const extended = await extendFrom(list, tpm, known);
    if (extended > 0 && tpm.name !== 'none') {
      this.settings.log.warn({ extended }, 'entries were extended that a PCR did not have');
    }
  }

  async #mark(entry: ListEntry): Promise<void> {
    if (this.#list === undefined || this.#tpm === undefined) return;
    const { state } = await this.#append(this.#list, this.#tpm, entry);
    if (state === 'unextended') throw new ListProblem(this.#problem ?? 'the TPM is lost');
  }

  async #bootEntry(tpm: Tpm): Promise<ListEntry> {
    const { hashAlgorithm, template, pcr } = this.settings;
    const bank = tpm.name === 'none' ? undefined : bootBank(tpm.banks, hashAlgorithm());
    const values: Uint8Array[] = [];
    for (const boot of bank === undefined ? [] : bootPcrs) {
      values.push((await tpm.read(boot)).get(bank ?? '') ?? new Uint8Array());
    }
    const event = bootAggregate(hashAlgorithm(), bank === undefined ? undefined : { bank, values });
    return entryOf(template(), pcr, event);
  }

  /** As the kernel records kexec: critical data, here of the daemon. */
  #restartEntry(list: MeasurementList): ListEntry {
    const { hashAlgorithm, template, pcr } = this.settings;
    const text = `time=${new Date().toISOString()};entries=${list.count};violations=${list.violations};`;
    const buffer = Buffer.from(text);
    const event = bufferEvent('imafs_restart', buffer, hashAlgorithm());
    return entryOf(templateByName('ima-buf') ?? template(), pcr, event);
  }

  #existing(position: number): Addition {
    // An entry that no PCR has is as good as none where that is demanded.
    if (this.settings.isRequired && position >= this.#extended) throw this.#lost();
    return { state: 'exists' };
  }

  #refuseIfFull(list: MeasurementList): void {
    if (this.settings.isRequired && this.#standing !== 'in step') throw this.#lost();
    if (list.count + this.#underWay.size >= this.settings.mostEntries)
      throw new ListFailed('EDQUOT');
  }

  #lost(): ListFailed {
    return new ListFailed(`TPM_error(${this.#lastRc})`);
  }

  /** Journals and extends, in the order of the calls. */
  async #append(list: MeasurementList, tpm: Tpm, entry: ListEntry): Promise<Addition> {
    const bytes = encodeRecord(entry);
    const digests = tpm.banks.map((bank) => extendDigest(bank, entry));
    try {
      await tpm.extend({ pcr: entry.pcr, digests, journal: { fd: list.descriptor, bytes } });
    } catch (error) {
      if (error instanceof JournalFailed) throw new ListFailed(error.code, { cause: error });
      if (!(error instanceof TpmFailed)) throw error;
      list.appended(bytes);
      this.#fellBehind(error);
      if (this.settings.isRequired)
        throw new ListFailed(`TPM_error(${error.rc})`, { cause: error });
      return { state: 'unextended', rc: error.rc };
    }
    list.appended(bytes);
    if (this.#standing === 'in step') this.#extended = list.count;
    return { state: 'added' };
  }

  #fellBehind(error: TpmFailed): void {
    this.#lastRc = error.rc;
    if (this.#standing !== 'in step') return;
    this.#settle('behind', error.message);
    this.#timer ??= setInterval(() => this.#recover(), RECOVERY_MS).unref();
  }

  #recover(): void {
    this.#exclusively(async () => {
      const tpm = this.#tpm;
      const list = this.#list;
      if (this.#standing !== 'behind' || tpm === undefined || list === undefined) return;
      await tpm.reconnect();
      if ((await tpm.resetCount()) === this.#resetCount) {
        await this.#catchUp(list, tpm);
        this.#extended = list.count;
        this.#settle('in step', undefined);
      } else {
        await mustBeZero(tpm, this.settings.pcr);
        this.#closeList();
        await this.#open(tpm);
        this.settings.began();
      }
    }).catch((error: unknown) => {
      if (error instanceof ListProblem) this.#settle('apart', error.message);
      else if (!(error instanceof TpmFailed)) this.settings.log.error({ err: error }, 'recovery');
    });
  }

  #settle(standing: ListStanding, problem: string | undefined): void {
    if (standing !== this.#standing && this.#standing !== 'closed') {
      this.settings.log.warn(
        { standing, problem, tpm: this.#tpm?.name },
        'measurement list and PCR',
      );
    }
    this.#standing = standing;
    this.#problem = problem;
    if (standing !== 'behind') {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** While `work` is done nothing is added. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    const before = this.#gate;
    const done = before.then(async () => {
      await Promise.allSettled(this.#underWay.values());
      await work();
    });
    this.#gate = done.catch(() => undefined);
    return done;
  }

  #closeList(): void {
    this.#list?.close();
    this.#list = undefined;
  }
}

/** A list can begin only where a PCR does: nobody could replay it otherwise. */
const mustBeZero = async (tpm: Tpm, pcr: number): Promise<void> => {
  for (const value of (await tpm.read(pcr)).values()) {
    if (value.some((byte) => byte !== 0)) {
      throw new ListProblem(
        `PCR ${pcr} of ${tpm.name} is in use, and no list here says by whom: restart that TPM, ` +
          'choose another pcr=, or give the state= directory that has its list',
      );
    }
  }
};

const apart = (tpm: Tpm, pcr: number): string =>
  `PCR ${pcr} of ${tpm.name} is not where the list says it is: something else extends it. ` +
  'Restart that TPM or choose another pcr=';
