import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { EXIT } from './exit-codes.js';
import type { MountPlaces } from './mount-places.js';
import { UserError } from './user-error.js';

const STDERR = 2;
const READY_FD = 3;
const GO_FD = 4;

/**
 * Puts the mount where the backing directory is, says so on descriptor 3, waits for a line on
 * descriptor 4, and becomes the command. The working directory is entered by its path, so that below
 * the backing it is the protected one.
 */
const PREPARE = `
mount --move -- "$1" "$2" || exit 125
echo ready >&3
read -r go <&4 || exit 125
cd -- "$3" || exit 125
shift 3
exec "$@" 3>&- 4>&-
`;

const KILL_POLL_MS = 20;
const KILL_TRIES = 250;

export interface CommandEnd {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command in a mount namespace of its own, in which the mount lies over its backing directory. */
export class ContainedCommand {
  private constructor(
    private readonly child: ChildProcess,
    /** nsfs inode number, as in `readlink /proc/self/ns/mnt`. */
    readonly namespace: number,
    /** Keeps the namespace, and so its number, until all is read that is kept of it. */
    private readonly pin: number,
    readonly ended: Promise<CommandEnd>,
  ) {}

  /**
   * Makes the namespace; the command waits for `proceed`. It has our standard input, and its output
   * goes to our stderr.
   */
  static async start(
    { backing, mountpoint }: MountPlaces,
    command: readonly string[],
  ): Promise<ContainedCommand> {
    const words = ['-m', '--propagation', 'private', '--', '/bin/sh', '-c', PREPARE, 'sh'];
    const child = spawn('unshare', [...words, mountpoint, backing, process.cwd(), ...command], {
      stdio: ['inherit', STDERR, STDERR, 'pipe', 'pipe'],
    });
    const ended = new Promise<CommandEnd>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (exit, signal) => {
        resolve({ exit, signal });
      });
    });
    await isReady(child, ended);
    const pin = openSync(`/proc/${child.pid}/ns/mnt`, 'r');
    const namespace = fstatSync(pin).ino;
    if (namespace === statSync('/proc/self/ns/mnt').ino) {
      closeSync(pin);
      throw new UserError(EXIT.runtime, 'no-namespace', 'unshare made no mount namespace');
    }
    return new ContainedCommand(child, namespace, pin, ended);
  }

  /** Lets the command run. */
  proceed(): void {
    pipeOf(this.child, GO_FD).end('go\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Kills what the command left in the namespace, whose number is nobody else's until `release`. */
  async killRest(): Promise<void> {
    for (let tries = 0; tries < KILL_TRIES; tries++) {
      const pids = processesIn(this.namespace);
      if (pids.length === 0) return;
      for (const pid of pids) killIfThere(pid);
      await sleep(KILL_POLL_MS);
    }
  }

  /** Kills all and lets go of the namespace, and of the mount with it. */
  async release(): Promise<void> {
    await this.killRest();
    closeSync(this.pin);
  }
}

async function isReady(child: ChildProcess, ended: Promise<CommandEnd>): Promise<void> {
  const ready = new Promise<'ready'>((resolve) => {
    pipeOf(child, READY_FD).once('data', () => {
      resolve('ready');
    });
  });
  pipeOf(child, GO_FD).on('error', () => undefined);
  const first = await Promise.race([ready, ended]).catch((error: unknown) => error);
  if (first === 'ready') return;
  const why = first instanceof Error ? first.message : 'see the lines above';
  throw new UserError(EXIT.runtime, 'no-namespace', `no mount namespace could be made: ${why}`, [
    'unshare(1) and mount(8) are needed, and CAP_SYS_ADMIN',
  ]);
}

function pipeOf(child: ChildProcess, fd: number): Duplex {
  return child.stdio[fd] as Duplex;
}

function processesIn(namespace: number): number[] {
  const link = `mnt:[${namespace}]`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/mnt`) === link;
      } catch {
        // It has ended.
        return false;
      }
    })
    .map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}
