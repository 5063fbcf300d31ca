/**
 * The same files, policies and accesses as on a real kernel give the same lists, byte for byte
 * (test/golden/ima/list-lines.ts says which kernel).
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe } from 'node:test';
import { templateLines, templateSha256, violationLines } from '../golden/ima/list-lines.js';
import { useImafs } from '../helpers/imafs.js';
import type { Namespace } from '../helpers/namespace.js';

const READ = 'measure func=FILE_CHECK mask=MAY_READ';

const TEMPLATES = [
  'ima',
  'ima-ng',
  'ima-sig',
  'ima-ngv2',
  'ima-sigv2',
  'ima-buf',
  'ima-modsig',
  'evm-sig',
];

/** SHA-256 of the kernel's binary list behind its first record. */
const BINARY = '53a61327506a743d5ed10708a966cbb3946e4aaca4ea3b0355348e969e3f9494';

/** Entries of an ascii list; a name may hold newlines. */
const entriesOf = (text: string): string[] => text.slice(0, -1).split(/\n(?=[ \d]\d [0-9a-f]{40})/);

describe('lists as the kernel has them', () => {
  const imafs = useImafs();

  /** A namespace that sees the mount at /mnt, as the kernel's file system was. */
  const atMnt = async (rules: readonly string[]): Promise<Namespace> => {
    const container = await imafs.activated(rules);
    await container.ok(['mount', '--bind', imafs.mountpoint, '/mnt']);
    return container;
  };

  const list = async (container: Namespace, name: string): Promise<Buffer> =>
    Buffer.from(await container.ok(['cat', `/mnt/.ima/self/${name}`]), 'latin1');

  imafs.test('each template, signatures, legacy labels, long and odd names', async () => {
    TEMPLATES.forEach((name) => {
      imafs.put(`f-${name}`, `content of f-${name}\n`, { label: 'none', mode: 0o640 });
    });
    const long = 'x'.repeat(120);
    const put = (name: string, content: string, owner: number, label = 'none') =>
      imafs.put(name, content, { owner, label });
    put('a b  c', 'c\n', 1000);
    put('direct', 'd\n', 1001);
    put('m5', 'e\n', 1001, `01${hex('md5', 'e\n')}`);
    put('sig', 's\n', 2003, '0302040011223300020102');
    put('sig2', 's2\n', 2005, '0302040011223300020102');
    put('evm', 'v\n', 2008, `0404${hex('sha256', 'v\n')}`);
    put('oldmd5', 'o\n', 2001, `01${hex('md5', 'o\n')}`);
    put('old256', 'o2\n', 2001, `0404${hex('sha256', 'o2\n')}`);
    put(`${long}/${long}/longname`, 'long\n', 2001);
    put('both', 'b\n', 1001);
    put('new\nline', 'x\ny', 1001);
    await imafs.shell(
      TEMPLATES.map((name, index) => `chown ${2001 + index}:${3001 + index} $BACKING/f-${name}`)
        .concat(`chgrp 0 $BACKING/evm`)
        .join('; '),
    );
    const container = await atMnt([
      ...TEMPLATES.map((name, index) => `${READ} fowner=${2001 + index} template=${name}`),
      `${READ} fowner=1000 pcr=11`,
      `${READ} fowner=1001`,
    ]);
    const inOrder = TEMPLATES.map((name) => `f-${name}`).concat(
      ['a b  c', 'direct', 'm5', 'sig', 'sig2', 'evm', 'oldmd5', 'old256'],
      [`${long}/${long}/longname`, 'both', 'new\nline'],
    );
    for (const name of inOrder) await container.ok(['cat', `/mnt/${name}`]);
    const ascii = await list(container, 'ascii_runtime_measurements');
    assert.deepEqual(entriesOf(ascii.toString('latin1')).slice(1), templateLines);
    const sha256 = await list(container, 'ascii_runtime_measurements_sha256');
    const hashes = sha256
      .toString('latin1')
      .slice(0, -1)
      .split(/\n(?=[ \d]\d [0-9a-f]{64})/)
      .map((entry) => entry.slice(3, 67));
    assert.deepEqual(hashes.slice(1), templateSha256);
    const binary = await list(container, 'binary_runtime_measurements');
    assert.equal(hexOf('sha256', binary.subarray(firstRecordBytes(binary))), BINARY);
  });

  imafs.test('a name keeps its bytes, whatever they are', async () => {
    const container = await atMnt([`${READ} fowner=1000`]);
    await imafs.shell(
      String.raw`for n in 'n\377\303\251' 'n\376\303\251'; do f=$BACKING/$(printf "$n"); ` +
        'echo same >"$f"; chown 1000 "$f"; done',
    );
    await container.ok(['sh', '-c', 'cat /mnt/n*']);
    const ascii = await list(container, 'ascii_runtime_measurements');
    const names = ascii
      .toString('latin1')
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(' ')[4]);
    assert.deepEqual(names.sort(), ['/mnt/n\xfe\xc3\xa9', '/mnt/n\xff\xc3\xa9']);
  });

  imafs.test('violations among ordinary entries', async () => {
    for (const name of ['plain', 'ow', 'tom', 'ow2', 'rdwr', 'both']) {
      imafs.put(name, `content of ${name}\n`, { label: 'none' });
    }
    const container = await atMnt([`${READ} fowner=1000`]);
    const cat = (name: string) => container.ok(['cat', `/mnt/${name}`]);
    await cat('plain');

    const writer = container.startXt('open w /mnt/ow , wait');
    await writer.printed('waiting');
    await cat('ow');
    await writer.proceed();
    await writer.succeeds();
    await cat('ow');

    const reader = container.startXt('open r /mnt/tom , wait');
    await reader.printed('waiting');
    await container.xt('open w /mnt/tom');
    await container.xt('open w /mnt/tom');
    await reader.proceed();
    await reader.succeeds();
    await cat('tom');

    const second = container.startXt('open w /mnt/ow2 , wait');
    await second.printed('waiting');
    await cat('ow2');
    await cat('ow2');
    await second.proceed();
    await second.succeeds();

    await container.xt('open rw /mnt/rdwr , read');
    await container.ok(['sh', '-c', 'echo more >> /mnt/plain; cat /mnt/plain; cat /mnt/plain']);
    await container.ok([
      'sh',
      '-c',
      'cp /mnt/plain /tmp/p.$$; rm /mnt/plain; cp /tmp/p.$$ /mnt/plain; rm /tmp/p.$$; ' +
        'chown 1000 /mnt/plain; cat /mnt/plain',
    ]);
    const ascii = await list(container, 'ascii_runtime_measurements');
    assert.deepEqual(entriesOf(ascii.toString('latin1')).slice(1), violationLines);
    assert.equal(String(await list(container, 'violations')), '3\n');
    assert.equal(String(await list(container, 'runtime_measurements_count')), '9\n');
    const causes = imafs
      .auditLines()
      .flatMap((line) => /type=1804 .*cause=(\w+) .*name="(.*?)".*res=1 errno=0/.exec(line) ?? [])
      .filter((word) => !word.startsWith('type'));
    assert.deepEqual(causes, [
      'open_writers',
      '/mnt/ow',
      'ToMToU',
      '/mnt/tom',
      'open_writers',
      '/mnt/ow2',
    ]);
  });
});

const hexOf = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest('hex');

const hex = (algorithm: string, text: string): string => hexOf(algorithm, Buffer.from(text));

/** u32 pcr, SHA-1, u32 name length, name, u32 data length, data. */
const firstRecordBytes = (list: Buffer): number => {
  const dataLengthAt = 28 + list.readUInt32LE(24);
  return dataLengthAt + 4 + list.readUInt32LE(dataLengthAt);
};
