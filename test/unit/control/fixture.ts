/** A control tree over fakes, and a small file-system-like way to use it in tests. */

import { constants as fsConstants } from 'node:fs';
import { errnoName, errnoNumber } from '../../../src/base/errno.js';
import { createLog } from '../../../src/base/log.js';
import type {
  Caller,
  NamespaceOwner,
  VirtualAnswer,
  VirtualUpcall,
} from '../../../src/binding/addon-types.js';
import type { Labeller } from '../../../src/control/label.js';
import type { ListView } from '../../../src/control/list-file.js';
import type { ControlParts } from '../../../src/control/parts.js';
import type { StatusReport } from '../../../src/control/status-report.js';
import { ControlTree } from '../../../src/control/tree.js';
import { Namespace } from '../../../src/namespaces/namespace.js';
import { fakeIma } from '../../helpers/fake-list.js';

export const { O_RDONLY, O_WRONLY, O_RDWR } = fsConstants;

const HOST: NamespaceOwner = { userNamespace: 4_026_531_837, rootUid: 0, rootGid: 0 };
const REMAPPED: NamespaceOwner = {
  userNamespace: 4_026_532_900,
  rootUid: 100_000,
  rootGid: 100_000,
};

const newNamespace = (id: bigint, name: number, owner: NamespaceOwner | undefined): Namespace =>
  new Namespace(id, name, id === 1n, fakeIma(), owner);

/** One thread as the tests describe it: where it is, and as whom. */
interface Thread {
  readonly scope: bigint;
  readonly scopeName: number;
  readonly owner: NamespaceOwner;
  readonly uid: number;
  readonly capable: boolean;
  /** Its user namespace is the owner's or an ancestor of it. */
  readonly ownsNamespace: boolean;
}

export class Fixture {
  readonly system = newNamespace(1n, 4_026_531_841, HOST);
  readonly container = newNamespace(2n, 4_026_532_001, HOST);
  readonly other = newNamespace(3n, 4_026_532_002, HOST);
  readonly remapped = newNamespace(4n, 4_026_532_003, REMAPPED);
  readonly inactive = newNamespace(5n, 4_026_532_004, HOST);
  readonly namespaces = [this.system, this.container, this.other, this.remapped, this.inactive];

  readonly #threads = new Map<number, Thread>();
  readonly notified: bigint[] = [];
  /** Ended in the kernel, which nobody has noticed yet. */
  readonly dead = new Set<bigint>();
  readonly done: string[] = [];
  list: ListView | undefined;
  #lastUpcall = 0;

  readonly parts: { -readonly [Key in keyof ControlParts]: ControlParts[Key] };
  readonly tree: ControlTree;

  constructor(change: Partial<ControlParts> = {}) {
    for (const namespace of [this.container, this.other, this.remapped]) {
      namespace.activate({ by: 'system', ownerUid: 0, time: '' });
    }
    const labeller: Labeller = {
      label: ({ change, path, namespace }) => {
        const value =
          change.action === 'sig' ? ` ${Buffer.from(change.value).toString('hex')}` : '';
        this.done.push(`${change.action}${value} ${path} for ${namespace.name}`);
        return Promise.resolve(undefined);
      },
    };
    this.parts = {
      log: createLog('silent'),
      controlName: '.ima',
      nsPolicy: 'stack',
      addon: {
        namespaceOwner: (tid) => {
          const thread = this.#threads.get(tid);
          if (thread === undefined) throw Object.assign(new Error('gone'), { code: 'ESRCH' });
          return thread.owner;
        },
        isUserNamespaceAncestor: (tid) => this.#threads.get(tid)?.ownsNamespace ?? false,
      },
      ids: { namespaceLives: (id) => !this.dead.has(id) },
      transport: { notifyPoll: (pollHandle) => this.notified.push(pollHandle) },
      registry: {
        system: this.system,
        ofCaller: ({ scope }) => this.#live().find(({ id }) => id === scope) ?? this.inactive,
        byName: (name) => this.#activated().find((known) => known.name === name),
        activated: () => this.#activated(),
      },
      lifecycle: {
        activate: (name) => {
          this.done.push(`activate ${name}`);
          return Promise.resolve(name === 1 ? 'ENOENT' : undefined);
        },
        activateSelf: ({ scope }) => {
          this.done.push(`activate self ${scope}`);
          return Promise.resolve(undefined);
        },
      },
      settings: {
        setMode: (namespace, mode) => {
          this.done.push(`mode ${namespace.name} ${mode}`);
          return undefined;
        },
        setHash: () => 'EINVAL',
        setTemplate: () => 'EINVAL',
        setTpm: (namespace, tpm, { scope }) => {
          this.done.push(`tpm ${namespace.name} ${tpm} by ${scope}`);
          return Promise.resolve(undefined);
        },
      },
      policyLoader: { open: () => 'EBUSY', close: () => undefined },
      labeller,
      keyrings: {
        add: (namespace, content) => {
          this.done.push(`key ${Buffer.from(content).toString()} for ${namespace.name}`);
          return Promise.resolve(content[0] === 0x21 ? 'ENOKEY' : undefined);
        },
        blacklist: (namespace, line) => {
          this.done.push(`blacklist ${line} for ${namespace.name}`);
          return line.startsWith('bin:') ? undefined : 'EINVAL';
        },
      },
      bufferMeasurements: {
        measure: (namespace, _caller, { hook, data, eventName, bytes }) => {
          const what = `${hook} ${data} ${eventName} ${Buffer.from(bytes).toString()}`;
          this.done.push(`measure ${what} for ${namespace.name}`);
          return Promise.resolve(data !== 'unmeasurable');
        },
      },
      authorities: [{ keyId: 0xab, description: 'CA: ab', certificate: Buffer.of(1, 2) }],
      listOf: () => this.list,
      statusOf: ({ name }) => ({ namespace: name }) as StatusReport,
      ...change,
    };
    this.tree = new ControlTree(this.parts);
  }

  #live(): Namespace[] {
    return this.namespaces.filter(({ isDead }) => !isDead);
  }

  #activated(): Namespace[] {
    return this.#live().filter(({ isActive }) => isActive);
  }

  /** A thread in `namespace`: by default its root. */
  caller(namespace: Namespace, change: Partial<Thread> = {}): Caller {
    const owner = namespace.owner ?? HOST;
    const thread: Thread = {
      scope: namespace.id,
      scopeName: namespace.name,
      owner,
      uid: owner.rootUid ?? 0,
      capable: true,
      ownsNamespace: true,
      ...change,
    };
    const tid = 1000 + this.#threads.size;
    this.#threads.set(tid, thread);
    const { uid } = thread;
    const ids = {
      uid,
      euid: uid,
      suid: uid,
      fsuid: uid,
      gid: uid,
      egid: uid,
      sgid: uid,
      fsgid: uid,
    };
    return {
      tid,
      pid: tid,
      scope: thread.scope,
      scopeName: thread.scopeName,
      leaderScope: undefined,
      kernelThread: false,
      credentials: {
        ...ids,
        capSetuid: thread.capable,
        capSetgid: thread.capable,
        capSysAdmin: thread.capable,
      },
      requestUid: uid,
      requestGid: uid,
      borrowed: false,
    };
  }

  serve(op: VirtualUpcall['op'], rest: Partial<VirtualUpcall>): Promise<VirtualAnswer> {
    this.#lastUpcall += 1;
    return this.tree.serve({
      kind: 'virtual',
      id: this.#lastUpcall,
      op,
      node: 0,
      caller: undefined,
      name: '',
      handle: 0,
      flags: 0,
      offset: 0,
      size: 65_536,
      data: undefined,
      pollHandle: 0n,
      pollNotify: false,
      ...rest,
    });
  }

  /** Looks up a path below `.ima`, as anybody. */
  async node(path: string): Promise<number> {
    let node = 0;
    for (const name of ['.ima', ...path.split('/').filter((part) => part !== '')]) {
      const { attributes } = await this.serve('lookup', { node, name });
      if (attributes === undefined) throw new Error(`no ${name} of ${path}`);
      ({ node } = attributes);
    }
    return node;
  }

  async open(caller: Caller, path: string, flags = O_RDONLY): Promise<OpenFile> {
    const answer = await this.serve('open', { caller, node: await this.node(path), flags });
    return new OpenFile(this, caller, answer);
  }

  /** Errno name of an open; undefined if it worked. */
  async openError(caller: Caller, path: string, flags = O_RDONLY): Promise<string | undefined> {
    return (await this.open(caller, path, flags)).error;
  }

  async read(caller: Caller, path: string): Promise<string> {
    return (await this.open(caller, path)).read();
  }

  /** open, write, close: errno name of the first that fails. */
  async write(caller: Caller, path: string, text: string | Buffer): Promise<string | undefined> {
    const file = await this.open(caller, path, O_WRONLY);
    if (file.error !== undefined) return file.error;
    const written = await file.write(text);
    const flushed = await file.flush();
    await file.release();
    return typeof written === 'string' ? written : flushed;
  }

  /** Names in a directory, or the errno name. */
  async names(caller: Caller, path: string): Promise<string[] | string> {
    const { errno, handle } = await this.serve('opendir', { caller, node: await this.node(path) });
    if (handle === undefined) return errnoText(errno) ?? '';
    const { entries = [] } = await this.serve('readdir', { handle, caller });
    return entries.map(({ name }) => name);
  }
}

/** ENOTSUP and EOPNOTSUPP are one number. */
export const errnoText = (errno: number): string | undefined =>
  errno === errnoNumber('EOPNOTSUPP') ? 'EOPNOTSUPP' : errnoName(errno);

class OpenFile {
  readonly error: string | undefined;
  readonly handle: number;

  constructor(
    private readonly fixture: Fixture,
    private readonly caller: Caller,
    answer: VirtualAnswer,
  ) {
    this.error = errnoText(answer.errno);
    this.handle = answer.handle ?? 0;
  }

  async read(offset = 0, size = 65_536): Promise<string> {
    const { handle, caller } = this;
    const { data } = await this.fixture.serve('read', { handle, caller, offset, size });
    return Buffer.from(data ?? []).toString();
  }

  /** Bytes taken, or the errno name. */
  async write(text: string | Buffer, caller = this.caller): Promise<number | string> {
    const { handle } = this;
    const data = Buffer.from(text);
    const answer = await this.fixture.serve('write', { handle, caller, data, size: data.length });
    return answer.written ?? errnoText(answer.errno) ?? '';
  }

  async flush(): Promise<string | undefined> {
    const { handle, caller } = this;
    return errnoText((await this.fixture.serve('flush', { handle, caller })).errno);
  }

  async release(): Promise<void> {
    await this.fixture.serve('release', { handle: this.handle });
  }

  async poll(pollHandle?: bigint): Promise<number | undefined> {
    const { handle, caller } = this;
    const pollNotify = pollHandle !== undefined;
    const wait = { handle, caller, pollNotify, pollHandle: pollHandle ?? 0n };
    return (await this.fixture.serve('poll', wait)).events;
  }
}
