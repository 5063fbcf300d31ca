import assert from 'node:assert/strict';
import { statSync } from 'node:fs';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor, labelOf } from '../helpers/label.js';
import { testKernel } from '../helpers/old-kernel.js';

const imafs = useImafs({ policy: [`appraise fowner=${PROTECTED}`] });

/** security.ima as it stands behind the mount, at once after close(2) returned. */
function labelBehind(name: string): string | undefined {
  return labelOf(imafs.behind(name));
}

async function servedAs(name: string, content: string): Promise<void> {
  const [first = ''] = content.split(/[\n\0]/);
  const results = await imafs.system.xt(
    `getx ${imafs.at(name)} security.ima , open r ${imafs.at(name)} , read`,
  );
  const read = `read=ok ${content.length}${first === '' ? '' : ` ${first}`}`;
  assert.deepEqual(results, [`getx=ok ${labelFor(content)}`, 'open=ok', read]);
}

for (const [who, uid] of [
  ['root', 0],
  ['the owner', PROTECTED],
] as const) {
  imafs.test(`an append by ${who} is followed by the label`, async () => {
    const name = `append-${uid}`;
    const file = imafs.put(name, 'one\n');
    await imafs.system.xt(`open wa ${file} , write two%20 , close`, { uid });
    await servedAs(name, 'one\ntwo ');
    assert.equal(labelBehind(name), labelFor('one\ntwo '));
  });

  imafs.test(`truncating and writing by ${who} is followed by the label`, async () => {
    const name = `rewrite-${uid}`;
    const file = imafs.put(name, 'a longer content\n');
    await imafs.system.xt(`open wt ${file} , write short , close`, { uid });
    await servedAs(name, 'short');
  });
}

imafs.test('a legacy SHA-1 label becomes a SHA-256 label', async () => {
  const file = imafs.put('legacy', 'one', { label: `01${labelFor('one', 'sha1').slice(4)}` });
  await imafs.system.xt(`open wa ${file} , write two , close`);
  await servedAs('legacy', 'onetwo');
});

imafs.test('ftruncate and fallocate through a descriptor are followed by the label', async () => {
  const file = imafs.put('resized', 'content');
  await imafs.system.xt(`open w ${file} , ftruncate 4 , close`);
  await servedAs('resized', 'cont');
  await imafs.system.xt(`open w ${file} , fallocate 0 0 6 , close`);
  await servedAs('resized', 'cont\0\0');
});

imafs.test('opened for writing and nothing written leaves the label as it was', async () => {
  const label = `01${labelFor('text', 'sha1').slice(4)}`;
  const file = imafs.put('untouched', 'text', { label });
  assert.deepEqual(await imafs.system.xt(`open rw ${file} , read , close`), [
    'open=ok',
    'read=ok 4 text',
    'close=ok',
  ]);
  assert.deepEqual(await imafs.system.xt(`getx ${file} security.ima`), [`getx=ok ${label}`]);
});

imafs.test('with two writers the label comes with the last close', async () => {
  const file = imafs.put('two-writers', 'text');
  const other = imafs.system.startXt(`open wa ${file} , wait , write B , close`);
  await other.printed('waiting');
  await imafs.system.xt(`open wa ${file} , write A , close`);
  assert.equal(labelBehind('two-writers'), labelFor('text'));
  await other.proceed();
  await other.succeeds();
  await servedAs('two-writers', 'textAB');
});

imafs.test("a dup'd descriptor that closes is not the last writer", async () => {
  const file = imafs.put('dup', 'text');
  const writer = imafs.system.startXt(
    `open wa ${file} , dup , write A , close , wait , use 0 , write B , close`,
  );
  await writer.printed('waiting');
  // Without passthrough each close of the only handle has it labelled, whether or not it is the last.
  const isLabelled = testKernel() !== undefined;
  assert.equal(labelBehind('dup'), labelFor(isLabelled ? 'textA' : 'text'));
  await writer.proceed();
  await writer.succeeds();
  await servedAs('dup', 'textAB');
});

imafs.test("a forked writer outlives its parent's close", async () => {
  const file = imafs.put('forked', 'text');
  const writer = imafs.system.startXt(
    `open wa ${file} , fork , wait , write B , close , end , close , join`,
  );
  await writer.printed('waiting');
  assert.equal(labelBehind('forked'), labelFor('text'));
  await writer.proceed();
  await writer.succeeds();
  await servedAs('forked', 'textB');
});

imafs.test(
  'a writable shared mapping outlives its descriptor, and the label comes with munmap',
  async () => {
    const file = imafs.put('mapped', 'text');
    const writer = imafs.system.startXt(
      `open rw ${file} , mmap rw s 4096 , close , store 0 TEXT , wait , munmap , wait`,
    );
    await writer.printed('waiting');
    assert.equal(labelBehind('mapped'), labelFor('text'));
    await writer.proceed();
    await writer.printed('waiting', 2);
    await servedAs('mapped', 'TEXT');
    await writer.proceed(2);
    await writer.succeeds();
  },
);

imafs.test('a store made just before munmap is in the label', async () => {
  const file = imafs.put('mapped-late', 'text');
  await imafs.system.xt(`open rw ${file} , mmap rw s 4096 , close , store 0 LATE , munmap`);
  await servedAs('mapped-late', 'LATE');
});

imafs.test(
  'a new file is readable while it is written and labelled when it is closed',
  async () => {
    const file = imafs.at('new');
    const writer = imafs.system.startXt(`open wcx ${file} , write hello , wait , close`, {
      uid: PROTECTED,
    });
    await writer.printed('waiting');
    assert.equal(labelBehind('new'), undefined);
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), [
      'open=ok',
      'read=ok 5 hello',
    ]);
    await writer.proceed();
    await writer.succeeds();
    await servedAs('new', 'hello');
  },
);

imafs.test('a new empty file is labelled as empty', async () => {
  await imafs.system.xt(`open wcx ${imafs.at('new-empty')} , close`, { uid: PROTECTED });
  await servedAs('new-empty', '');
});

imafs.test('an O_TMPFILE that gets a name is labelled when it is closed', async () => {
  const file = imafs.at('from-tmpfile');
  const results = await imafs.system.xt(
    `open rwm ${imafs.mountpoint} , write hello , linkfd ${file} , close`,
  );
  assert.deepEqual(results, ['open=ok', 'write=ok 5', 'linkfd=ok', 'close=ok']);
  await imafs.system.xt(`chown ${file} ${PROTECTED} ${PROTECTED}`);
  const read = await imafs.system.xt(`open r ${file}`);
  assert.equal(read[0], labelBehind('from-tmpfile') === undefined ? 'open=EACCES' : 'open=ok');
});

imafs.test('truncate(2) by path leaves the label stale, and the file is refused', async () => {
  const file = imafs.put('by-path', 'content');
  await imafs.system.xt(`open r ${file} , open r ${file}`);
  assert.deepEqual(await imafs.system.xt(`truncate ${file} 3`), ['truncate=ok']);
  assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=EACCES']);
  assert.equal(labelBehind('by-path'), labelFor('content'));
});

for (const [what, label] of [
  ['a wrong', labelFor('other')],
  ['no', 'none'],
] as const) {
  imafs.test(
    `a file with ${what} label cannot be opened for writing or truncated by open`,
    async () => {
      const name = `bad-${label.slice(0, 4)}`;
      const file = imafs.put(name, 'content', { label });
      const results = await imafs.system.xt(
        `open w ${file} , open wa ${file} , open wt ${file} , open rw ${file}`,
      );
      assert.deepEqual(results, ['open=EACCES', 'open=EACCES', 'open=EACCES', 'open=EACCES']);
      assert.equal(statSync(imafs.behind(name)).size, 7);
      assert.equal(labelBehind(name), label === 'none' ? undefined : label);
    },
  );
}

imafs.test('a file that a chown brings under the policy without a label is refused', async () => {
  const file = imafs.put('chowned', 'text', { label: 'none', owner: 0 });
  assert.deepEqual(await imafs.system.xt(`open r ${file} , open r ${file}`), [
    'open=ok',
    'open=ok',
  ]);
  assert.deepEqual(
    await imafs.system.xt(`chown ${file} ${PROTECTED} ${PROTECTED} , open r ${file}`),
    ['chown=ok', 'open=EACCES'],
  );
});

imafs.test('chmod, rename and link leave label and verdict as they were', async () => {
  const file = imafs.put('metadata', 'text');
  const moved = imafs.at('metadata-moved');
  const results = await imafs.system.xt(
    `chmod ${file} 600 , rename ${file} ${moved} , link ${moved} ${file} , open r ${file} , open r ${moved}`,
  );
  assert.deepEqual(results.slice(-2), ['open=ok', 'open=ok']);
  assert.equal(labelBehind('metadata'), labelFor('text'));
});

imafs.test('the writer itself can read the file it is writing', async () => {
  const file = imafs.put('own-read', 'text');
  const results = await imafs.system.xt(`open wa ${file} , write more , open r ${file} , read`);
  assert.deepEqual(results.slice(2), ['open=ok', 'read=ok 8 textmore']);
});
