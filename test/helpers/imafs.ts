/**
 * A running imafs for tests: a backing directory that the test process may touch, and a daemon with its
 * mount in a mount namespace of their own, the "system" of the test. Nothing can stay mounted after the
 * test: with the system's last process its mounts go.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Daemon } from './daemon.js';
import { labelFile, setLabel } from './label.js';
import { Namespace, type NamespaceKind } from './namespace.js';
import { type OldKernel, underKernel } from './old-kernel.js';
import { IMAFS } from './project.js';
import { SLOWNESS } from './slowness.js';

export interface ImafsRequest {
  /** Mount options besides those the harness sets (policy, audit, state, system_ns). */
  readonly options?: Readonly<Record<string, string>>;
  /** Rules of the system policy. */
  readonly policy?: readonly string[];
  readonly backing?: 'ext4' | 'tmpfs';
  /** An existing directory; a fresh one unless given. */
  readonly mountpoint?: string;
  /** Shell commands run in the system's namespace before the daemon, with $ROOT, $BACKING and $MNT. */
  readonly prepare?: string;
  /** The daemon takes the kernel for this older one; $IMAFS_TEST_KERNEL unless given. */
  readonly kernel?: OldKernel;
  /** What the daemon's own namespace is like. */
  readonly system?: NamespaceKind;
  /** Words before the daemon's command, `prlimit --nofile=1024` for one. */
  readonly wrapper?: readonly string[];
}

export interface FileRequest {
  /** 'good': right SHA-256 (default); 'none'; or security.ima in hex. */
  readonly label?: string;
  /** Owner and group, 1000 by default: the one that the tests' policies name. */
  readonly owner?: number;
  readonly mode?: number;
}

/** The owner whose files the tests' policies protect. */
export const PROTECTED = 1000;

export class Imafs {
  root = '';
  #system: Namespace | undefined;
  #daemon: Daemon | undefined;
  readonly #containers: Namespace[] = [];

  constructor(readonly request: ImafsRequest) {}

  /** The namespace of the daemon, and of the host as the tests see it. */
  get system(): Namespace {
    return started(this.#system);
  }

  get daemon(): Daemon {
    return started(this.#daemon);
  }

  get backing(): string {
    return join(this.root, 'backing');
  }

  get mountpoint(): string {
    return this.request.mountpoint ?? join(this.root, 'mnt');
  }

  /** Path through the mount, for commands in namespaces. */
  at(name: string): string {
    return join(this.mountpoint, name);
  }

  /** Path of the control tree. */
  control(name: string): string {
    return join(this.mountpoint, '.ima', name);
  }

  /** Path behind the mount, for the test process. */
  behind(name: string): string {
    return join(this.backing, name);
  }

  async start(): Promise<void> {
    await this.startSystem();
    await this.startDaemon();
  }

  /** All but the daemon: the directories and the namespace. */
  async startSystem(): Promise<void> {
    const where = this.request.backing === 'tmpfs' ? '/dev/shm' : '/tmp';
    this.root = mkdtempSync(join(where, 'imafs-test-'));
    chmodSync(this.root, 0o755);
    for (const directory of ['backing', 'mnt']) mkdirSync(join(this.root, directory));
    chmodSync(this.backing, 0o777);
    writeFileSync(
      join(this.root, 'policy'),
      (this.request.policy ?? []).map((rule) => `${rule}\n`).join(''),
    );
    this.#system = await Namespace.start(this.request.system);
    if (this.request.prepare !== undefined) await this.shell(this.request.prepare);
  }

  async startDaemon(): Promise<void> {
    const { policy, options, wrapper = [] } = this.request;
    const words = [
      ...underKernel(this.request.kernel),
      ...wrapper,
      ...IMAFS,
      'mount',
      '--foreground',
    ];
    this.#daemon = await Daemon.start(this.system, words, this.backing, this.mountpoint, {
      system_ns: 'self',
      audit: join(this.root, 'audit.log'),
      state: join(this.root, 'state'),
      ...(policy === undefined ? {} : { policy: join(this.root, 'policy') }),
      ...options,
    });
  }

  /** A namespace that sees the mount, made from the system's unless `kind` says otherwise. */
  async container(kind: NamespaceKind = {}): Promise<Namespace> {
    const container = await Namespace.start({ within: this.system, ...kind });
    this.#containers.push(container);
    return container;
  }

  /** A container activated by the system's root, with a policy of its own. */
  async activated(rules: readonly string[], kind: NamespaceKind = {}): Promise<Namespace> {
    const container = await this.container(kind);
    await this.system.ok(['sh', '-c', `echo ${container.id} > ${this.control('namespaces')}`]);
    await this.writePolicy(`${container.id}`, rules);
    return container;
  }

  /** Loads rules as the system's root; `where` is a NSID or '' for the system itself. */
  async writePolicy(where: string, rules: readonly string[]): Promise<void> {
    const policy = this.control(join(where, 'policy'));
    await this.system.ok(['sh', '-c', `cat > ${policy}`], {
      stdin: rules.map((rule) => `${rule}\n`).join(''),
    });
  }

  /** Makes a file behind the mount. */
  put(name: string, content: string | Uint8Array, request: FileRequest = {}): string {
    mkdirSync(dirname(this.behind(name)), { recursive: true });
    writeFileSync(this.behind(name), content);
    return this.own(name, request);
  }

  /** Copies a program of the host behind the mount. */
  putProgram(name: string, source: string, request: FileRequest = {}): string {
    copyFileSync(source, this.behind(name));
    return this.own(name, { mode: 0o755, ...request });
  }

  /** Gives a file made behind the mount its owner, mode and label. */
  own(name: string, { label = 'good', owner = PROTECTED, mode = 0o644 }: FileRequest): string {
    const path = this.behind(name);
    chownSync(path, owner, owner);
    chmodSync(path, mode);
    if (label === 'good') labelFile(path);
    else if (label !== 'none') setLabel(path, label);
    return this.at(name);
  }

  /** Runs shell commands in the system's namespace, with $ROOT, $BACKING and $MNT. */
  shell(commands: string): Promise<string> {
    const names = `ROOT=${this.root} BACKING=${this.backing} MNT=${this.mountpoint}`;
    return this.system.ok(['sh', '-c', `set -e; ${names}; ${commands}`]);
  }

  /** `status` of the reader's own namespace, or of another. */
  async status(
    namespace: Namespace = this.system,
    where = 'self',
  ): Promise<Record<string, unknown>> {
    const text = await namespace.ok(['cat', this.control(join(where, 'status'))]);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** Audit lines so far, oldest first. */
  auditLines(): string[] {
    try {
      return readFileSync(join(this.root, 'audit.log'), 'latin1')
        .split('\n')
        .filter((line) => line !== '');
    } catch {
      return [];
    }
  }

  /** Stops containers, unmounts, and demands that nothing is left. */
  async stop(): Promise<void> {
    const problems: string[] = [];
    await this.#stopContainers();
    problems.push(...((await this.#daemon?.stop()) ?? []));
    await this.#system?.stop();
    if (this.root === '') return;
    // Never with a mount below: it would empty the backing.
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(this.root)) problems.push('mounted');
    else await removeTree(this.root);
    assert.deepEqual(problems, [], tail(this.#daemon?.log() ?? '', 10));
  }

  async #stopContainers(): Promise<void> {
    await Promise.all(this.#containers.splice(0).map((container) => container.stop()));
  }

  /**
   * A test case. Its containers end with it; its failure comes with what the daemon logged meanwhile.
   */
  test(
    sentence: string,
    body: () => Promise<void>,
    options: { skip?: string | false; timeout?: number } = {},
  ): void {
    const { skip = false, timeout = 60_000 } = options;
    void test(sentence, { skip, timeout: timeout * SLOWNESS }, async (context) => {
      const start = this.daemon.log().length;
      try {
        await body();
      } catch (error) {
        context.diagnostic(tail(this.daemon.log().slice(start), 30));
        throw error;
      } finally {
        await this.#stopContainers();
      }
    });
  }
}

function tail(text: string, lines: number): string {
  return text.split('\n').slice(-lines).join('\n');
}

function started<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('imafs was not started');
  return part;
}

/** An imafs for all tests of a file or of a describe block. */
export function useImafs(request: ImafsRequest = {}): Imafs {
  const imafs = new Imafs(request);
  before(() => imafs.start());
  after(() => imafs.stop());
  return imafs;
}

/** Namespaces end asynchronously, and what was mounted there is busy until then. */
async function removeTree(root: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      rmSync(root, { recursive: true, force: true });
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(50);
    }
  }
}
