/** The daemon of a test: started in the foreground by the system's agent, awaited until it serves. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { deferred } from './deferred.js';
import type { Namespace } from './namespace.js';
import { describeOutcome, type Running } from './running.js';
import { SLOWNESS } from './slowness.js';

/** Descriptors that may come and go in a healthy daemon (hash workers, namespace walks). */
const DESCRIPTOR_SLACK = 8;

export class Daemon {
  private constructor(
    private readonly system: Namespace,
    private readonly mountpoint: string,
    readonly process: Running,
    /** Pid as seen from the test process. */
    readonly pid: number,
    private readonly descriptorsAtStart: number,
  ) {}

  static async start(
    system: Namespace,
    command: readonly string[],
    backing: string,
    mountpoint: string,
    options: Readonly<Record<string, string>>,
  ): Promise<Daemon> {
    const list = Object.entries(options).map(([name, value]) =>
      value === '' ? name : `${name}=${value}`,
    );
    const words = [...command, '-o', list.join(','), backing, mountpoint];
    const process = system.start(words, { ipc: true });
    const hears = (): boolean => process.said.length > 0;
    await process.until(hears, 'say it is ready', 20_000);
    const [said] = process.said as { type: string }[];
    if (said?.type !== 'ready') throw new Error(`the daemon said ${JSON.stringify(said)}`);
    const pid = outerPid(system.agentPid, await process.pid);
    return new Daemon(system, mountpoint, process, pid, descriptors(pid).length);
  }

  /** All it printed so far. */
  log(): string {
    return this.process.stdout + this.process.stderr;
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    await this.process.ended;
  }

  /** SIGKILL to the daemon alone, as a crash. */
  async crash(): Promise<void> {
    globalThis.process.kill(this.pid, 'SIGKILL');
    await this.process.ended;
  }

  /** Unmounts and waits for the daemon's end; what was wrong, in words. */
  async stop(): Promise<string[]> {
    const problems: string[] = [];
    if (!(await endsWithin(this.process, 0))) {
      problems.push(...(await this.#leakedDescriptors()));
      const { exit, stderr } = await this.system.run(['umount', this.mountpoint]);
      if (exit !== 0) problems.push(`umount: ${stderr}`);
      if (await endsWithin(this.process, 10_000 * SLOWNESS)) {
        const outcome = await this.process.ended;
        if (outcome.exit !== 0)
          problems.push(describeOutcome(['daemon'], { ...outcome, stdout: '' }));
        return problems;
      }
      problems.push('the daemon did not end after umount');
    }
    await this.system.run(['umount', '-l', this.mountpoint]);
    await this.process.kill();
    return problems;
  }

  /**
   * Once the kernel has forgotten all inodes, and the daemon the namespaces that ended, it holds no
   * more than at its start.
   */
  async #leakedDescriptors(): Promise<string[]> {
    const limit = this.descriptorsAtStart + DESCRIPTOR_SLACK;
    for (let tries = 0; tries < 240; tries++) {
      if (descriptors(this.pid).length <= limit) return [];
      if (tries % 10 === 0) writeFileSync('/proc/sys/vm/drop_caches', '2');
      await sleep(50);
    }
    const open = descriptors(this.pid);
    const { descriptorsAtStart: atStart } = this;
    return [`${open.length} descriptors are open, ${atStart} were at the start`, ...open.sort()];
  }
}

async function endsWithin(process: Running, milliseconds: number): Promise<boolean> {
  const expiry = deferred<boolean>();
  const timer = setTimeout(() => {
    expiry.resolve(false);
  }, milliseconds);
  const ended = await Promise.race([process.ended.then(() => true), expiry.promise]);
  clearTimeout(timer);
  return ended;
}

/**
 * What its descriptors lead to. Those of /proc are left out: each reader thread keeps a few for the
 * callers it knows.
 */
function descriptors(pid: number): string[] {
  const target = (descriptor: string): string => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      return '/proc, gone';
    }
  };
  const targets = readdirSync(`/proc/${pid}/fd`).map(target);
  return targets.filter((it) => !it.startsWith('/proc'));
}
/** The child of the agent that the agent, in its own pid namespace, calls `pid`. */
function outerPid(agentPid: number, pid: number): number {
  const children = readFileSync(`/proc/${agentPid}/task/${agentPid}/children`, 'utf8')
    .trim()
    .split(' ');
  const inner = (child: string): string | undefined =>
    /^NSpid:.*?(\d+)$/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1];
  return Number(children.find((child) => inner(child) === String(pid)));
}
