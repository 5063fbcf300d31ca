/**
 * A list and its TPM over restarts, losses and resets. Where the PCRs went on, the list does: what they
 * lack is extended. Where they began anew the list is put aside and a new one begins.
 */
import { ListFailed } from '../ima/ports.js';
import { type Tpm, TpmFailed } from '../tpm/tpm.js';
import { bootEntry, restartEntry } from './first-entries.js';
import type { ListSettings } from './list-settings.js';
import { goesOn, type ListState } from './list-state.js';
import { MeasurementList } from './measurement-list.js';
import { entriesInTpm, extendEntry, extendFrom } from './reconcile.js';

/** The list cannot begin or go on with this TPM; the message is for whoever chose the TPM. */
export class ListProblem extends Error {}

/** `in step`: the PCRs have every entry. `behind`: the TPM is lost. `apart`: they differ for good. */
export type ListStanding = 'closed' | 'in step' | 'behind' | 'apart';

/** How often a TPM that is lost is looked for, and one that is not is asked whether it was reset. */
const WATCH_MS = 1000;

export class KeptList {
  list: MeasurementList | undefined;
  tpm: Tpm | undefined;
  /** What the TPM was chosen by: none, swtpm, a string. */
  choice: string | undefined;
  standing: ListStanding = 'closed';
  problem: string | undefined;
  extended = 0;
  #resetCount = 0;
  #lastRc = 0;
  /** PCRs that nobody else has extended. */
  readonly #pcrs = new Set<number>();
  #watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: ListSettings,
    /** Does something while nothing is added. */
    private readonly exclusively: (work: () => Promise<void>) => Promise<void>,
  ) {}

  /** Rejects with ListProblem or TpmFailed, and is closed then. */
  async open(tpm: Tpm, choice: string): Promise<void> {
    this.tpm = tpm;
    this.choice = choice;
    try {
      await this.#begin(tpm);
    } catch (error) {
      this.tpm = undefined;
      throw error;
    }
    this.#watchSoon();
  }

  /**
   * Gives the list another TPM, which it begins with. From `changed` on the TPM is the list's, also if
   * it then cannot begin: nothing is measured until it can, so what must be is refused.
   */
  async change(tpm: Tpm, choice: string, changed: () => void): Promise<void> {
    await mustBeZero(tpm, this.settings.pcr);
    clearTimeout(this.#watch);
    const before = this.tpm;
    const isEmpty = this.list !== undefined && this.list.count <= 1;
    this.#closeList('the TPM is being changed');
    if (isEmpty) this.settings.directory.forget();
    this.tpm = tpm;
    this.choice = choice;
    changed();
    await before?.close();
    try {
      await this.#begin(tpm);
    } finally {
      this.#watchSoon();
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#watch);
    await this.tpm?.close();
    this.#closeList(undefined);
    this.tpm = undefined;
  }

  /** Whether the PCR is known to be there, and to be extended by nobody else. */
  mayExtend(pcr: number): boolean {
    return this.#pcrs.has(pcr);
  }

  /** Rejects with ListFailed where the list could not be replayed to the PCR. */
  async takePcr(pcr: number): Promise<void> {
    const { tpm } = this;
    if (tpm === undefined || pcr >= tpm.pcrs) throw new ListFailed(`there is no PCR ${pcr}`);
    if (this.standing !== 'in step') throw this.lost();
    try {
      await mustBeZero(tpm, pcr);
    } catch (error) {
      if (error instanceof TpmFailed) {
        this.fellBehind(error);
        throw this.lost();
      }
      throw new ListFailed(`PCR ${pcr} is in use`, { cause: error });
    }
    this.#pcrs.add(pcr);
  }

  wasExtended(list: MeasurementList): void {
    if (this.standing === 'in step') this.extended = list.count;
  }

  fellBehind({ rc, message }: TpmFailed): void {
    this.#lastRc = rc;
    if (this.standing === 'in step') this.#settle('behind', message);
  }

  /**
   * Whoever appends to the journal takes back what he could not append whole. If even that failed, the
   * list is read anew from what is there, once nobody adds to it.
   */
  journalFailed(list: MeasurementList): void {
    this.exclusively(async () => {
      if (this.list !== list || this.tpm === undefined || !list.isTorn()) return;
      this.#closeList('the measurement journal is damaged');
      await this.#begin(this.tpm);
    })
      .catch((error: unknown) => this.#lookFailed(error))
      .finally(() => this.#watchSoon());
  }

  lost(): ListFailed {
    return new ListFailed(`TPM_error(${this.#lastRc})`);
  }

  /** Rejects with ListProblem, TpmFailed or JournalFailed, and is closed then. */
  async #begin(tpm: Tpm): Promise<void> {
    try {
      await this.#beginOrGoOn(tpm);
    } catch (error) {
      this.#closeList((error as Error).message);
      throw error;
    }
  }

  async #beginOrGoOn(tpm: Tpm): Promise<void> {
    const { directory, bootId, namespace, pcr, log, began } = this.settings;
    const resetCount = await tpm.resetCount();
    const { choice = tpm.name } = this;
    const now: ListState = { bootId, tpm: tpm.name, resetCount, namespace, choice };
    directory.make();
    const goes = goesOn(directory.read(), now);
    this.#pcrs.clear();
    if (!goes) {
      await mustBeZero(tpm, pcr);
      const archive = directory.archive();
      if (archive !== undefined) log.info({ archive }, 'a measurement list ended');
      began();
      directory.write(now);
    }
    const list = new MeasurementList(directory.journal);
    this.list = list;
    await this.#catchUp(list, tpm);
    const entry =
      list.count === 0 ? await bootEntry(this.settings, tpm) : restartEntry(this.settings, list);
    await extendEntry(list, tpm, entry);
    this.#resetCount = resetCount;
    this.extended = list.count;
    this.#settle('in step', undefined);
  }

  /** After this the PCRs have all of the list. */
  async #catchUp(list: MeasurementList, tpm: Tpm): Promise<void> {
    const { pcr, log } = this.settings;
    const known = await entriesInTpm(list, tpm, pcr);
    if (known === undefined) throw new ListProblem(apart(tpm, pcr));
    await tpm.resume();
    const extended = await extendFrom(list, tpm, known);
    for (const used of [pcr, ...list.pcrs]) this.#pcrs.add(used);
    if (extended > 0 && tpm.name !== 'none') {
      log.warn({ extended }, 'entries were extended that a PCR did not have');
    }
  }

  #watchSoon(): void {
    clearTimeout(this.#watch);
    const isSoftware = this.tpm?.name === 'none';
    if (this.tpm === undefined || (isSoftware && this.standing === 'in step')) return;
    this.#watch = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => this.#lookFailed(error))
        .finally(() => this.#watchSoon());
    }, WATCH_MS).unref();
  }

  /** One look at the TPM. What may take long is done while others add. */
  async #look(): Promise<void> {
    const { tpm, standing } = this;
    if (tpm === undefined) return;
    if (standing !== 'in step') await tpm.reconnect();
    const resetCount = await tpm.resetCount();
    const wasReset = resetCount !== this.#resetCount;
    if ((standing === 'in step' || standing === 'apart') && !wasReset) return;
    await this.exclusively(async () => {
      if (this.tpm !== tpm) return;
      const { list } = this;
      const isReset = resetCount !== this.#resetCount;
      if (!isReset && this.standing === 'in step') return;
      if (list !== undefined && !isReset) {
        await this.#catchUp(list, tpm);
        this.extended = list.count;
        this.#settle('in step', undefined);
        return;
      }
      if (isReset) await mustBeZero(tpm, this.settings.pcr);
      this.#closeList('the list begins anew');
      await this.#begin(tpm);
    });
  }

  #lookFailed(error: unknown): void {
    if (error instanceof ListProblem) this.#settle('apart', error.message);
    else if (error instanceof TpmFailed) this.fellBehind(error);
    else {
      // A disk that is full, say: it is tried again.
      this.settings.log.error({ err: error }, 'the measurement list cannot go on');
      this.problem = (error as Error).message;
    }
  }

  #settle(standing: ListStanding, problem: string | undefined): void {
    if (standing !== this.standing && this.standing !== 'closed') {
      const { log } = this.settings;
      log.warn({ standing, problem, tpm: this.tpm?.name }, 'measurement list and PCR');
    }
    this.standing = standing;
    this.problem = problem;
  }

  #closeList(problem: string | undefined): void {
    this.list?.close();
    this.list = undefined;
    this.standing = 'closed';
    this.problem = problem;
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
