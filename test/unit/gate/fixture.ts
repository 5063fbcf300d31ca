/** A gate over a fake transport and real temporary files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createLog } from '../../../src/base/log.js';
import type { OpenAnswer, OpenUpcall } from '../../../src/binding/addon-types.js';
import type { NamespacePolicy } from '../../../src/daemon-options.js';
import { AttributesHandler } from '../../../src/gate/attributes.js';
import { Denials } from '../../../src/gate/denials.js';
import { DigestCache } from '../../../src/gate/digest-cache.js';
import { Firmware } from '../../../src/gate/firmware.js';
import { OpenHandler } from '../../../src/gate/open.js';
import { Settling } from '../../../src/gate/settling.js';
import { XattrHandler } from '../../../src/gate/xattr.js';
import type { LeftFile } from '../../../src/ima/check-last-writer.js';
import { Paths } from '../../../src/namespaces/paths.js';
import { Sharing } from '../../../src/namespaces/sharing.js';
import { type FakeFile, FakeTransport } from '../../helpers/fake-transport.js';
import { NamespaceFixture } from '../namespaces/fixture.js';

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const EACCES = 13;

export class GateFixture {
  readonly transport: FakeTransport;
  readonly namespaces: NamespaceFixture;
  readonly journal = new Set<bigint>();
  readonly audited: string[] = [];
  readonly digests = new DigestCache();
  readonly settling: Settling;
  readonly open: OpenHandler;
  readonly xattr: XattrHandler;
  readonly attributes: AttributesHandler;

  constructor(nsPolicy: NamespacePolicy = 'stack', ...systemRules: string[]) {
    const directory = mkdtempSync(join(tmpdir(), 'imafs-gate-'));
    const transport = new FakeTransport(directory);
    after(() => {
      transport.close();
      rmSync(directory, { recursive: true });
    });
    const namespaces = new NamespaceFixture(nsPolicy, ...systemRules);
    const { registry } = namespaces;
    const log = createLog('debug', { write: () => undefined });
    const { addon, pool } = transport;
    const journal = {
      add: (ino: bigint): void => {
        transport.done.push('journal');
        this.journal.add(ino);
      },
      remove: (ino: bigint): void => void this.journal.delete(ino),
    };
    const audit = {
      forAccess: ({ namespace, path }: { namespace: number; path: string }) => ({
        integrity: ({ cause }: { cause: string }) =>
          void this.audited.push(`${namespace} ${path} ${cause}`),
        measurement: () => void this.audited.push(`${namespace} ${path} audit`),
        settled: () => Promise.resolve(),
      }),
    };
    const paths = new Paths('/mnt', '0:0');
    const ended = (node: number, left: LeftFile | undefined): void => {
      this.digests.forget([node]);
      for (const namespace of registry.known()) namespace.lastWriterEnded(node, left);
    };
    const writersEnded = (node: number, keepsResults: boolean): void => {
      this.digests.forget([node]);
      for (const namespace of registry.known()) namespace.writersEnded(node, keepsResults);
    };
    const settling = new Settling({
      addon,
      transport,
      pool,
      journal,
      ended,
      writersEnded,
      log,
    });
    const shared = { registry, settling, audit, denials: new Denials(paths, log), paths };
    const fileSystem = { fsMagic: 0xef53, fsName: 'ext4', fsUuid: undefined };
    this.transport = transport;
    this.namespaces = namespaces;
    this.settling = settling;
    this.attributes = new AttributesHandler({ registry, fileSystem });
    this.open = new OpenHandler({
      ...shared,
      attributes: this.attributes,
      addon,
      transport,
      pool,
      digests: this.digests,
      fileSystem,
      sharing: new Sharing(registry, nsPolicy),
      labelXattr: undefined,
      mmapCheck: 'elf',
      firmware: new Firmware(['/mnt/firmware']),
      leasesTell: false,
    });
    this.xattr = new XattrHandler({ ...shared, canHash: () => true });
  }

  /** A file with the right label. */
  good(name: string, given: Partial<FakeFile> = {}): FakeFile {
    const file = this.transport.add(name, `content of ${name}`, given);
    file.xattr = this.transport.label(file);
    return file;
  }

  /** One open by somebody in `scope`. */
  opened(file: FakeFile, given: Partial<OpenUpcall> = {}, scope = 1n): Promise<OpenAnswer> {
    return this.open.handle(this.transport.open(file, this.namespaces.caller(scope), given));
  }

  /** Opens for writing, answered and counted by native. */
  async write(file: FakeFile, content: string, scope = 1n): Promise<OpenAnswer> {
    const answer = await this.opened(file, { flags: O_WRONLY }, scope);
    if (answer.errno === 0) this.transport.rewrite(file, content);
    return answer;
  }

  /** A writer who closed, but whose mapping went away only later, unnoticed. */
  async writeAndMap(file: FakeFile, content: string): Promise<void> {
    await this.write(file, content);
    file.lease = 'busy';
    await this.release(file);
    file.lease = 'granted';
  }

  /** The writer closes, and what follows from that is done. */
  async release(file: FakeFile): Promise<void> {
    this.settling.released(file.node);
    await this.settling.settle(file.node);
  }
}
