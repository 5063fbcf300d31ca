/**
 * A swtpm of our own (tpm=swtpm): started, kept running, and ended with the daemon. An orderly stop
 * keeps the PCRs for the next start. After any other end they begin anew and the TPM's reset count has
 * moved, which the user of the TPM notices.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../base/log.js';
import { parseTcti, type Tcti } from './tcti.js';
import { TpmFailed } from './tpm.js';
import {
  isServed,
  shutdown,
  startup,
  TPM_RC_INITIALIZE,
  TPM_RC_SUCCESS,
  TPM_SU_CLEAR,
  TPM_SU_STATE,
} from './tpm-command.js';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 5;
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 10_000;
/** A swtpm that ran this long is started again without delay. */
const STABLE_MS = 60_000;
const NOT_FOUND = 127;

/** For sockets whose path in the state directory would be too long or hold characters of its own. */
const RUN_DIRECTORY = '/run/imafs';

export interface OwnSwtpm {
  readonly tcti: Tcti;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Keeps the PCRs for the next start in the same directory. */
  stop(): Promise<void>;
}

/**
 * `directory` is made if it is not there, and belongs to this swtpm alone. Call it from the main
 * thread: the kernel ends the swtpm when the thread that started it ends. Rejects with TpmFailed.
 */
export const startSwtpm = async (directory: string, log: Log): Promise<OwnSwtpm> => {
  makePrivate(directory);
  const swtpm = new Supervisor(directory, chooseTcti(directory), log);
  await swtpm.start(TPM_SU_STATE);
  return swtpm;
};

/** The same for the same directory, so that tools find it again after a restart. */
const chooseTcti = (directory: string): { readonly tcti: Tcti; readonly socket: string } => {
  const near = `${directory}/sock`;
  const parsed = parseTcti(`swtpm:path=${near}`);
  if (parsed.ok) return { tcti: parsed.value, socket: near };
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  makePrivate(RUN_DIRECTORY);
  makePrivate(`${RUN_DIRECTORY}/${name}`);
  const socket = `${RUN_DIRECTORY}/${name}/sock`;
  const short = parseTcti(`swtpm:path=${socket}`);
  if (!short.ok) throw new TpmFailed(short.problem, 0);
  return { tcti: short.value, socket };
};

const makePrivate = (directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(directory);
  if (!lstatSync(directory).isDirectory() || uid !== process.geteuid?.()) {
    throw new TpmFailed(`${directory} is not a directory of this user`, 0);
  }
  chmodSync(directory, 0o700);
};

interface Running {
  readonly child: ChildProcess;
  /** Resolves with why it ended. */
  readonly ended: Promise<string>;
}

class Supervisor implements OwnSwtpm {
  readonly tcti: Tcti;
  readonly #directory: string;
  readonly #socket: string;
  readonly #log: Log;
  #running: Running | undefined;
  #pause = SHORTEST_PAUSE_MS;
  readonly #stopped = new AbortController();
  /** The start that follows a death, if one is under way. */
  #restart: Promise<void> = Promise.resolve();

  constructor(directory: string, place: { tcti: Tcti; socket: string }, log: Log) {
    this.tcti = place.tcti;
    this.#socket = place.socket;
    this.#directory = directory;
    this.#log = log;
  }

  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** A function, because it changes while others are awaited. */
  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async start(type: number): Promise<void> {
    // A second swtpm would take the sockets of the first before it finds the state locked.
    if (await isServed(this.#socket)) {
      throw new TpmFailed(`another swtpm serves ${this.#socket}`, 0);
    }
    const running = this.#spawn();
    this.#running = running;
    const began = performance.now();
    try {
      await this.#powerOn(running, type);
    } catch (error) {
      running.child.kill('SIGKILL');
      await running.ended;
      throw error;
    }
    void running.ended.then(() => {
      if (performance.now() - began > STABLE_MS) this.#pause = SHORTEST_PAUSE_MS;
      if (!this.#isStopped()) this.#restart = this.#startAgain();
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#restart;
    if (this.#running === undefined) return;
    const { child, ended } = this.#running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    try {
      const rc = await shutdown(this.#socket, TPM_SU_STATE, STOP_TIMEOUT_MS);
      if (rc !== TPM_RC_SUCCESS) throw new Error(`TPM2_Shutdown: 0x${rc.toString(16)}`);
    } catch (error) {
      this.#log.warn({ err: error }, 'swtpm could not keep its PCRs: they will begin anew');
    }
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  /** PCRs cannot be as they were, so TPM_SU_STATE is not even tried. */
  async #startAgain(): Promise<void> {
    while (!this.#isStopped()) {
      this.#log.error({ pause: this.#pause }, 'swtpm ended by itself and is started again');
      await sleep(this.#pause, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      if (this.#isStopped()) return;
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
      try {
        await this.start(TPM_SU_CLEAR);
        return;
      } catch (error) {
        this.#log.error({ err: error }, 'swtpm cannot be started');
      }
    }
  }

  /**
   * PR_SET_PDEATHSIG ends it with this process, even if that is killed, and the shell makes sure that
   * this was not so before prctl(2). A session of its own keeps a terminal's ^C away.
   */
  #spawn(): Running {
    const keepIfParent = '[ "$PPID" = "$1" ] && shift && exec "$@"';
    const socket = (path: string) => `type=unixio,path=${path},mode=0600`;
    const words = [
      ...['--pdeathsig', 'KILL', '--', 'sh', '-c', keepIfParent, 'sh', String(process.pid)],
      ...['swtpm', 'socket', '--tpm2', '--tpmstate', 'dir=.,mode=0600'],
      ...['--server', socket(this.#socket), '--ctrl', socket(`${this.#socket}.ctrl`)],
      // Without a log file each command would print a line; errors go to stderr nevertheless.
      ...['--flags', 'not-need-init', '--log', 'file=-'],
    ];
    const child = spawn('setpriv', words, {
      cwd: this.#directory,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface(child.stderr).on('line', (line) => this.#log.warn({ line }, 'swtpm'));
    return { child, ended: endOf(child) };
  }

  /** As a driver does: TPM2_Startup is the first command. */
  async #powerOn({ ended }: Running, type: number): Promise<void> {
    const limit = performance.now() + START_TIMEOUT_MS;
    const failed = ended.then((why) => Promise.reject(new TpmFailed(why, 0)));
    // Its end later on is not an end of the start.
    failed.catch(() => undefined);
    for (;;) {
      try {
        await this.#startup(type);
        return;
      } catch (error) {
        if (error instanceof TpmFailed) throw error;
        if (performance.now() > limit) {
          throw new TpmFailed('swtpm does not answer', 0, { cause: error });
        }
      }
      await Promise.race([sleep(POLL_MS), failed]);
    }
  }

  async #startup(type: number): Promise<void> {
    let rc = await startup(this.#socket, type, START_TIMEOUT_MS);
    if (rc !== TPM_RC_SUCCESS && type === TPM_SU_STATE) {
      rc = await startup(this.#socket, TPM_SU_CLEAR, START_TIMEOUT_MS);
    }
    // Whoever waits for the TPM may have been faster: tss-connection.ts starts one that is not started.
    if (rc !== TPM_RC_SUCCESS && rc !== TPM_RC_INITIALIZE) {
      throw new TpmFailed(`swtpm refuses TPM2_Startup: 0x${rc.toString(16)}`, rc);
    }
  }
}

/** Resolves with why it ended, or why it did not begin. */
const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) =>
      resolve(`setpriv (Debian package util-linux): ${error.message}`),
    );
    child.once('exit', (code, signal) =>
      resolve(
        code === NOT_FOUND
          ? 'swtpm is not installed (Debian package swtpm)'
          : `swtpm ended with ${signal ?? `status ${code}`}, see the log`,
      ),
    );
  });
