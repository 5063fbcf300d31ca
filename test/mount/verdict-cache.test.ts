/** Warm opens enter no JavaScript, and everything that must void a remembered verdict does. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { labelFor, setLabel } from '../helpers/label.js';
import type { CommandOptions, Namespace } from '../helpers/namespace.js';
import { program } from '../helpers/programs.js';

const imafs = useImafs({ policy: [`appraise fowner=${PROTECTED}`] });

interface Counters {
  readonly remembered: number;
  readonly opens: number;
}

async function counters(): Promise<Counters> {
  const { mount } = (await imafs.status()) as { mount: { counters: Counters } };
  return mount.counters;
}

/** How many of these operations were answered by a remembered verdict. */
async function remembered(
  who: Namespace,
  operations: string,
  options: CommandOptions = {},
): Promise<number> {
  const before = await counters();
  await who.xt(operations, options);
  return (await counters()).remembered - before.remembered;
}

/**
 * A file whose verdict is remembered for readers of the system: its ctime has to be a tick old. The
 * end of an earlier test's namespace voids all verdicts, so it may take more than one try.
 */
async function warmFile(name: string): Promise<string> {
  const file = imafs.put(name, 'text\n');
  for (let tries = 0; tries < 5; tries++) {
    await sleep(30);
    await imafs.system.xt(`open r ${file} , open r ${file}`);
    if ((await remembered(imafs.system, `open r ${file}`)) === 1) return file;
  }
  assert.fail('it does not get warm');
}

imafs.test('a hundred warm opens enter JavaScript not once', async () => {
  const file = await warmFile('warm');
  const opens = Array.from({ length: 20 }, () => `open r ${file} , close`).join(' , ');
  const judged = async (): Promise<number> =>
    ((await imafs.status()) as { counters: Counters }).counters.opens;
  const before = await judged();
  let known = 0;
  for (let round = 0; round < 5; round++) known += await remembered(imafs.system, opens);
  assert.equal(known, 100);
  assert.equal(await judged(), before);
});

imafs.test('a warm execution enters no JavaScript either', async () => {
  const file = imafs.putProgram('warm-program', program('exit-good'));
  await sleep(30);
  await imafs.system.xt(`run ${file} , run ${file}`);
  assert.equal(await remembered(imafs.system, `run ${file} , run ${file}`), 2);
});

for (const [what, prepare] of [
  ['reading for an execution', async (file: string) => remembered(imafs.system, `run ${file}`)],
  ['O_DIRECT', async (file: string) => remembered(imafs.system, `open rd ${file}`)],
  [
    'opening for writing',
    async (file: string) => remembered(imafs.system, `open rw ${file} , open w ${file}`),
  ],
] as const) {
  imafs.test(`a verdict for reading does not answer ${what}`, async () => {
    const file = await warmFile(`other-access-${what.length}`);
    assert.equal(await prepare(file), 0);
  });
}

imafs.test('a verdict of one namespace does not answer another', async () => {
  const file = await warmFile('other-namespace');
  const container = await imafs.container();
  assert.equal(await remembered(container, `open r ${file}`), 0);
  await container.xt(`open r ${file}`);
  assert.equal(await remembered(container, `open r ${file}`), 1);
});

imafs.test('under a rule with uid= a verdict for one user does not answer another', async () => {
  const file = imafs.put('by-uid', 'text\n', { owner: 0, label: 'none' });
  const container = await imafs.activated(['appraise uid=1500']);
  await sleep(30);
  await container.xt(`open r ${file} , open r ${file}`);
  assert.equal(await remembered(container, `open r ${file}`), 1);
  assert.deepEqual(await container.xt(`open r ${file}`, { uid: 1500 }), ['open=EACCES']);
  assert.equal(await remembered(container, `open r ${file}`, { uid: 1501 }), 0);
});

imafs.test('a refusal is never remembered', async () => {
  const file = imafs.put('refusal', 'text\n', { label: 'none' });
  await sleep(30);
  assert.equal(
    await remembered(imafs.system, `open r ${file} , open r ${file} , open r ${file}`),
    0,
  );
});

imafs.test('nothing is remembered while a writer is open', async () => {
  const file = await warmFile('writer');
  const writer = imafs.system.startXt(`open wa ${file} , wait`);
  await writer.printed('waiting');
  assert.equal(
    await remembered(imafs.system, `open r ${file} , open r ${file} , open r ${file}`),
    0,
  );
  await writer.proceed();
  await writer.succeeds();
});

for (const [what, act] of [
  [
    'a write open and close through the mount',
    async (file: string) => imafs.system.xt(`open wa ${file} , close`),
  ],
  ['chmod through the mount', async (file: string) => imafs.system.xt(`chmod ${file} 640`)],
  [
    'setxattr through the mount',
    async (file: string) => imafs.system.xt(`setx ${file} security.ima ${labelFor('text\n')}`),
  ],
  ['any other xattr', async (file: string) => imafs.system.xt(`setx ${file} user.note 01`)],
  ['utimensat', async (file: string) => imafs.system.xt(`utimens ${file} 1 1 1 1`)],
  [
    'a change behind the mount',
    // Another label that is right too: the digest may be followed by anything.
    (_: string, name: string) => setLabel(imafs.behind(name), `${labelFor('text\n')}00`),
  ],
  ['a policy update', async () => imafs.writePolicy('', ['appraise fowner=4242'])],
  [
    'a change of mode',
    async () => imafs.system.ok(['sh', '-c', `echo enforce > ${imafs.control('mode')}`]),
  ],
  [
    'a change of hash',
    async () => imafs.system.ok(['sh', '-c', `echo sha512 > ${imafs.control('hash')}`]),
  ],
] as const) {
  imafs.test(`${what} voids the verdict`, async () => {
    const name = `void-${what.replaceAll(/\W/g, '-')}`;
    const file = await warmFile(name);
    await act(file, name);
    assert.equal(await remembered(imafs.system, `open r ${file}`), 0);
  });
}

imafs.test('the activation of a namespace voids what it was allowed before', async () => {
  const file = imafs.put('activated', 'text\n', { label: 'none', owner: 2000 });
  const container = await imafs.container();
  await sleep(30);
  await container.xt(`open r ${file} , open r ${file}`);
  assert.equal(await remembered(container, `open r ${file}`), 1);
  await container.ok([
    'sh',
    '-c',
    `echo 1 > ${imafs.control('active')} && echo 'appraise fowner=2000' > ${imafs.control('policy')}`,
  ]);
  assert.deepEqual(await container.xt(`open r ${file}`), ['open=EACCES']);
});
