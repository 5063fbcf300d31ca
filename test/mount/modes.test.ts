/** ima_appraise=log, fix and off: what is served, what is written to security.ima, and what is not. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { causesOf } from '../helpers/audit-lines.js';
import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { digestOf, labelFor, labelOf } from '../helpers/label.js';

const RULE = `appraise fowner=${PROTECTED}`;
const WRONG = labelFor('other');
const sha1 = (text: string): string => digestOf(text, 'sha1');

describe('log', () => {
  const imafs = useImafs({ policy: [RULE], options: { ima_appraise: 'log' } });

  imafs.test('a bad file is served, reported, and its label left as it was', async () => {
    const file = imafs.put('wrong', 'text\n', { label: WRONG });
    assert.deepEqual(await imafs.system.xt(`open r ${file} , read`), ['open=ok', 'read=ok 5 text']);
    assert.deepEqual(causesOf(imafs.auditLines(), 'wrong'), ['invalid-hash']);
    assert.equal(labelOf(imafs.behind('wrong')), WRONG);
  });

  imafs.test('a good file that is written gets its new label', async () => {
    const file = imafs.put('good', 'text');
    await imafs.system.xt(`open wa ${file} , write more , close`);
    const [label] = await imafs.system.xt(`getx ${file} security.ima`);
    assert.equal(label, `getx=ok ${labelFor('textmore')}`);
  });
});

describe('fix', () => {
  const imafs = useImafs({ policy: [RULE], options: { ima_appraise: 'fix' } });

  for (const [what, label, fixed] of [
    ['a missing label becomes SHA-256', 'none', labelFor('text')],
    ['a wrong label becomes right', WRONG, labelFor('text')],
    [
      'a wrong legacy label becomes a right legacy label',
      `01${sha1('other')}`,
      `01${sha1('text')}`,
    ],
    ['a signature is left alone', '0302040000000000ff00deadbeef', '0302040000000000ff00deadbeef'],
  ] as const) {
    imafs.test(`${what}, by reading alone`, async () => {
      const name = `fix-${what.replaceAll(/\W/g, '-')}`;
      const file = imafs.put(name, 'text', { label });
      assert.deepEqual(await imafs.system.xt(`open r ${file}`), ['open=ok']);
      assert.equal(labelOf(imafs.behind(name)), fixed);
    });
  }
});

describe('fix in a namespace', () => {
  const imafs = useImafs();

  imafs.test('a namespace in fix does not write where the system is not in fix', async () => {
    const container = await imafs.activated(['appraise fowner=2000']);
    await container.ok(['sh', '-c', `echo fix > ${imafs.control('mode')}`]);
    const file = imafs.put('namespace-fix', 'text', { label: 'none', owner: 2000 });
    assert.deepEqual(await container.xt(`open r ${file}`), ['open=ok']);
    assert.equal(labelOf(imafs.behind('namespace-fix')), undefined);
  });
});

describe('off', () => {
  const imafs = useImafs({ policy: [RULE], options: { ima_appraise: 'off' } });

  imafs.test('nothing is refused and nothing is written', async () => {
    const file = imafs.put('wrong', 'text', { label: WRONG });
    assert.deepEqual(await imafs.system.xt(`open r ${file} , open wa ${file} , write x , close`), [
      'open=ok',
      'open=ok',
      'write=ok 1',
      'close=ok',
    ]);
    assert.equal((await imafs.system.xt(`getx ${file} security.ima`))[0], `getx=ok ${WRONG}`);
  });
});

describe('a label that all share', () => {
  const imafs = useImafs({ options: { ns_policy: 'replace' } });

  imafs.test(
    'under replace a namespace labels only what no other active policy appraises',
    async () => {
      const [one, two] = [await imafs.activated([RULE]), await imafs.activated([RULE])];
      const alone = await imafs.activated(['appraise fowner=2000']);
      const shared = imafs.put('shared', 'text');
      await one.xt(`open wa ${shared} , write more , close`);
      assert.deepEqual(await two.xt(`open r ${shared}`), ['open=EACCES']);
      assert.equal(labelOf(imafs.behind('shared')), labelFor('text'));
      const own = imafs.put('own', 'text', { owner: 2000 });
      await alone.xt(`open wa ${own} , write more , close , open r ${own}`);
      assert.equal(labelOf(imafs.behind('own')), labelFor('textmore'));
    },
  );

  imafs.test('a writer no policy appraises leaves the label stale', async () => {
    const container = await imafs.activated([RULE]);
    const file = imafs.put('stale', 'text');
    await imafs.system.xt(`open wa ${file} , write more , close`);
    assert.deepEqual(await container.xt(`open r ${file}`), ['open=EACCES']);
    assert.equal(labelOf(imafs.behind('stale')), labelFor('text'));
  });
});
