import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { LeaseAnswer } from '../../../src/binding/addon-types.js';
import { FileLabeller, type LabelParts, type LabelRequest } from '../../../src/control/label.js';
import { Fixture } from './fixture.js';

const directory = mkdtempSync(join(tmpdir(), 'imafs-label-'));
const file = join(directory, 'file');
writeFileSync(file, 'content');
after(() => rmSync(directory, { recursive: true }));

const fixture = new Fixture();
const caller = fixture.caller(fixture.system);
const FACTS = { ino: 1n, device: '8:1', mode: 0o100644, uid: 0, gid: 0, size: 7 };

/** What a labeller over a real file and a fake transport did. */
const labelling = (change: {
  readonly node?: number;
  readonly lease?: LeaseAnswer;
  readonly xattr?: Buffer;
  readonly parts?: Partial<LabelParts>;
}) => {
  const done: string[] = [];
  const openBacking: LabelParts['transport']['openBacking'] = (path) => {
    if (path !== '/file') throw Object.assign(new Error('loop'), { code: 'ELOOP' });
    return { fd: openSync(file, 'r'), node: change.node, file: FACTS, xattrs: [change.xattr] };
  };
  const labeller = new FileLabeller({
    addon: {
      setXattr: (_fd, name, value) => done.push(`set ${name} ${value?.length}`),
      closeDescriptor: (fd) => {
        closeSync(fd);
        done.push('close');
      },
    },
    transport: {
      openBacking,
      takeLease: () => change.lease ?? { state: 'unsupported' },
      releaseLease: () => done.push('release lease'),
    },
    hashPool: {
      digest: ({ fd, algorithm }) =>
        Promise.resolve(createHash(algorithm).update(readFileSync(fd)).digest()),
      writeXattr: ({ name, value, leased }) => {
        done.push(`write ${name} ${Buffer.from(value).toString('hex')} ${leased}`);
        return Promise.resolve();
      },
    },
    refusal: () => Promise.resolve(undefined),
    changed: ({ path }) => done.push(`changed ${path}`),
    ...change.parts,
  });
  const label = (what: 'hash' | 'clear' | Uint8Array, path = '/file') => {
    const change: LabelRequest['change'] =
      typeof what === 'string' ? { action: what } : { action: 'sig', value: what };
    return labeller.label({ caller, namespace: fixture.system, change, path });
  };
  return { done, label };
};

const SHA256 = createHash('sha256').update('content').digest('hex');

test('hash writes type 04, the algorithm and the digest', async () => {
  const { done, label } = labelling({});
  assert.equal(await label('hash'), undefined);
  assert.deepEqual(done, [`write security.ima 0404${SHA256} false`, 'changed /file', 'close']);
});

test('a known file is hashed and written under a lease', async () => {
  const leaseFd = openSync(file, 'r');
  const { done, label } = labelling({ node: 9, lease: { state: 'granted', fd: leaseFd } });
  assert.equal(await label('hash'), undefined);
  closeSync(leaseFd);
  assert.deepEqual(done, [
    `write security.ima 0404${SHA256} true`,
    'changed /file',
    'release lease',
    'close',
  ]);
});

test('a file with a writer is not labelled', async () => {
  const { done, label } = labelling({ node: 9, lease: { state: 'busy' } });
  assert.equal(await label('hash'), 'ETXTBSY');
  assert.deepEqual(done, ['close']);
});

test('a file that changes while it is hashed is not labelled', async () => {
  const { done, label } = labelling({
    parts: {
      hashPool: {
        digest: () => {
          writeFileSync(file, 'other content');
          return Promise.resolve(Buffer.alloc(32));
        },
        writeXattr: () => assert.fail('must not be written'),
      },
    },
  });
  assert.equal(await label('hash'), 'EAGAIN');
  writeFileSync(file, 'content');
  assert.deepEqual(done, ['changed /file', 'close']);
});

test('a lease broken under the hasher is EAGAIN', async () => {
  const leaseFd = openSync(file, 'r');
  const { label } = labelling({
    node: 9,
    lease: { state: 'granted', fd: leaseFd },
    parts: {
      hashPool: {
        digest: () => Promise.resolve(Buffer.alloc(32)),
        writeXattr: () => Promise.reject(new Error('the lease was broken')),
      },
    },
  });
  assert.equal(await label('hash'), 'EAGAIN');
  closeSync(leaseFd);
});

test('what the sharing rule refuses is not hashed', async () => {
  const { done, label } = labelling({ parts: { refusal: () => Promise.resolve('EPERM') } });
  assert.equal(await label('hash'), 'EPERM');
  assert.deepEqual(done, ['close']);
});

test('a signature is written as it is, under a lease and not over a change', async () => {
  const signature = Buffer.from('030204d33204490002abcd', 'hex');
  const leaseFd = openSync(file, 'r');
  const written = labelling({ node: 9, lease: { state: 'granted', fd: leaseFd } });
  assert.equal(await written.label(signature), undefined);
  closeSync(leaseFd);
  assert.equal(written.done[0], `write security.ima ${signature.toString('hex')} true`);
  const busy = labelling({ node: 9, lease: { state: 'busy' } });
  assert.equal(await busy.label(signature), 'ETXTBSY');
  const refuse = (): Promise<undefined> => {
    writeFileSync(file, 'changed while the rule is asked');
    return Promise.resolve(undefined);
  };
  const changed = labelling({ parts: { refusal: refuse } });
  assert.equal(await changed.label(signature), 'EAGAIN');
  writeFileSync(file, 'content');
  assert.deepEqual(changed.done, ['changed /file', 'close']);
});

test('clear removes a label, and has nothing to do where there is none', async () => {
  const labelled = labelling({ xattr: Buffer.from('0404', 'hex') });
  assert.equal(await labelled.label('clear'), undefined);
  assert.deepEqual(labelled.done, ['set security.ima undefined', 'changed /file', 'close']);
  const bare = labelling({});
  assert.equal(await bare.label('clear'), undefined);
  assert.equal(
    bare.done.some((what) => what.startsWith('set')),
    false,
  );
});

test('what the path leads to is said by name', async () => {
  assert.equal(await labelling({}).label('hash', '/link'), 'ELOOP');
});
