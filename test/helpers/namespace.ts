/**
 * A mount namespace with an agent in it: how tests act from a container. The test process itself
 * never sees the mount.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { FromAgent, ToAgent } from './agent-messages.js';
import { deferred } from './deferred.js';
import { program } from './programs.js';
import { describeOutcome, type Outcome, Running } from './running.js';
import { SLOWNESS } from './slowness.js';

const AGENT = fileURLToPath(new URL('./agent.js', import.meta.url));

/** How a namespace is made. */
export interface NamespaceKind {
  /** Start from this one's mounts; otherwise from those of the test process. */
  readonly within?: Namespace;
  /** And in its user namespace too. */
  readonly sameUser?: boolean;
  /** Join it instead of making a new one (setns). */
  readonly join?: boolean;
  /** A user namespace of its own, whose root is this uid (and gid) outside. */
  readonly userRoot?: number;
  /** A pid namespace of its own, with its /proc. */
  readonly pid?: boolean;
}

export interface CommandOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Then the command is killed and the call fails. */
  readonly timeoutMs?: number;
  readonly ipc?: boolean;
}

export class Namespace {
  readonly #running = new Map<number, Running>();
  #next = 1;

  private constructor(
    private readonly process: ChildProcess,
    /** Pid of the agent as seen from the test. */
    readonly agentPid: number,
    /** nsfs inode number of its mount namespace: the NSID of the control tree. */
    readonly id: number,
  ) {
    process.on('message', (message: FromAgent) => {
      if (message.kind !== 'ready') this.#running.get(message.id)?.hear(message);
    });
    process.on('exit', () => {
      for (const running of this.#running.values()) running.lose();
    });
  }

  static async start(kind: NamespaceKind = {}): Promise<Namespace> {
    const words = [...wordsOf(kind), process.execPath, AGENT];
    const child = spawn(words[0] ?? '', words.slice(1), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const ready = await new Promise<FromAgent>((resolve, reject) => {
      child.once('message', resolve);
      child.once('error', reject);
      child.once('exit', (code) => {
        reject(new Error(`${words.join(' ')}: exit ${code}`));
      });
    });
    if (ready.kind !== 'ready' || child.pid === undefined)
      throw new Error('the agent spoke nonsense');
    // In a pid namespace of its own the agent knows itself as 1, and unshare is its parent.
    const pid = kind.pid === true ? await onlyChild(child.pid) : child.pid;
    const id = Number(/\d+/.exec(await readlink(`/proc/${pid}/ns/mnt`))?.[0]);
    return new Namespace(child, pid, id);
  }

  /** Starts a command and goes on without waiting for its end. */
  start(words: readonly string[], options: CommandOptions = {}): Running {
    const id = this.#next++;
    const tell = (message: ToAgent): void => {
      if (this.process.connected) this.process.send(message);
    };
    const running = new Running(id, words, tell);
    this.#running.set(id, running);
    const { uid, gid = uid, cwd, ipc = false } = options;
    tell({ kind: 'start', id, words, uid, gid, cwd, ipc });
    if (options.stdin !== undefined) {
      running.send(options.stdin);
      running.send(undefined);
    }
    return running;
  }

  /** Runs a command to its end, whatever that is. */
  async run(words: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
    const limitMs = (options.timeoutMs ?? 20_000) * SLOWNESS;
    const running = this.start(words, { stdin: '', ...options });
    const expired = deferred<never>();
    const timer = setTimeout(() => {
      running.signal('SIGKILL');
      expired.reject(
        new Error(`${words.join(' ')}: not done after ${limitMs} ms\n${running.stdout}`),
      );
    }, limitMs);
    try {
      return await Promise.race([running.ended, expired.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a command that has to succeed; its standard output. */
  async ok(words: readonly string[], options: CommandOptions = {}): Promise<string> {
    const outcome = await this.run(words, options);
    if (outcome.exit !== 0) throw new Error(describeOutcome(words, outcome));
    return outcome.stdout;
  }

  /** Runs xt: the results, one for each operation, as `open=EACCES`. */
  async xt(operations: string, options: CommandOptions = {}): Promise<string[]> {
    const outcome = await this.run([program('xt'), ...operationWords(operations)], options);
    if (outcome.exit === 2 || outcome.exit === null)
      throw new Error(describeOutcome([operations], outcome));
    return outcome.stdout.split('\n').filter((line) => line !== '');
  }

  startXt(operations: string, options: CommandOptions = {}): Running {
    return this.start([program('xt'), ...operationWords(operations)], options);
  }

  /** Ends the agent and everything it started; with the last process goes the namespace. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => {
      this.process.once('exit', () => {
        resolve();
      });
    });
    if (this.process.connected) this.process.disconnect();
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 3000);
    await gone;
    clearTimeout(timer);
  }
}

/** Blanks separate words; `%20` stands for one inside a word. */
function operationWords(operations: string): string[] {
  return operations
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => word.replaceAll('%20', ' '));
}

function wordsOf({
  within,
  sameUser = false,
  join = false,
  userRoot,
  pid = false,
}: NamespaceKind): string[] {
  const user = sameUser ? ['-U'] : [];
  const enter =
    within === undefined ? [] : ['nsenter', '-t', String(within.agentPid), ...user, '-m', '--'];
  const become =
    userRoot === undefined
      ? []
      : ['setpriv', `--reuid=${userRoot}`, `--regid=${userRoot}`, '--clear-groups'];
  const make = [
    'unshare',
    '-m',
    ...(userRoot === undefined ? [] : ['-U', '-r']),
    ...(pid ? ['-p', '-f', '--kill-child', '--mount-proc'] : []),
    '--propagation=private',
    '--',
  ];
  return [...enter, ...become, ...(join ? [] : make)];
}

async function onlyChild(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim());
}
