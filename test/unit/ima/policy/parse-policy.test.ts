import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePolicy, parsePolicyLine } from '../../../../src/ima/policy/parse-policy.js';
import { policyMachine } from '../../../helpers/policy-machine.js';
import { SLOWNESS } from '../../../helpers/slowness.js';

const problems: readonly (readonly [
  line: string,
  column: number,
  token: string,
  message: string,
  hint: string,
])[] = [
  ['bogus', 1, 'bogus', "unknown word 'bogus'", 'see Documentation'],
  ['dnt_measure', 1, 'dnt_measure', 'unknown word', 'did you mean dont_measure?'],
  ['appraise fower=0', 10, 'fower=0', 'unknown word', 'did you mean fowner=?'],
  ['measure FUNC=FILE_CHECK', 9, 'FUNC=FILE_CHECK', 'unknown word', 'did you mean func=?'],
  ['func=FILE_CHECK', 1, 'func=FILE_CHECK', 'no action', 'measure'],
  ['measure appraise', 9, 'appraise', 'two actions', 'one rule per line'],
  ['measure func', 9, 'func', 'no value', 'func=VALUE'],
  ['measure func=', 9, 'func=', 'no value', 'func=VALUE'],
  ['measure func=FILE_CHEK', 9, 'func=FILE_CHEK', 'not a func', 'did you mean FILE_CHECK?'],
  ['measure func>FILE_CHECK', 9, 'func>FILE_CHECK', "only '='", 'func=FILE_CHECK'],
  ['measure mask=^MAY_RAED', 9, 'mask=^MAY_RAED', 'not a mask', 'did you mean MAY_READ?'],
  ['measure uid=1 \t uid=2', 17, 'uid=2', 'given twice', 'leave one'],
  ['measure uid=1 euid>2', 15, 'euid>2', 'cannot be used with uid', 'two rules'],
  ['measure uid=root', 9, 'uid=root', 'not an id', 'did you mean uid=0?'],
  ['measure gid<wheel', 9, 'gid<wheel', 'not an id', 'decimal'],
  ['measure fsmagic=ext4', 9, 'fsmagic=ext4', 'not a hexadecimal', 'did you mean fsname=ext4?'],
  ['measure fsmagic=0xg', 9, 'fsmagic=0xg', 'not a hexadecimal', '0xef53'],
  ['measure fsuuid=1', 9, 'fsuuid=1', 'not a UUID', '8-4-4-4-12'],
  ['audit func=KEY_CHECK', 1, 'audit', 'cannot be used with audit', 'measure func=KEY_CHECK'],
  ['measure func=KEY_CHECK euid=0', 24, 'euid=0', 'cannot be used with func=KEY_CHECK', ''],
  ['measure mask=MAY_READ func=KEXEC_CMDLINE', 9, 'mask=MAY_READ', 'cannot be used', ''],
  ['appraise func=SETXATTR_CHECK', 10, 'func=SETXATTR_CHECK', 'requires appraise_algos=', ''],
  ['measure func=FILE_CHECK\r', 9, 'func=FILE_CHECK\r', 'carriage return', 'dos2unix'],
  ['measure\r', 1, 'measure\r', 'carriage return', 'dos2unix'],
  ['appraise fowner=0 pcr=11', 19, 'pcr=11', 'cannot be used with appraise', 'leave pcr out'],
  ['measure pcr=64', 9, 'pcr=64', 'not a PCR', 'below 64'],
  ['measure template=ima-gn', 9, 'template=ima-gn', 'not a template', 'ima-ng'],
  ['template=ima-ng measure', 1, 'template=ima-ng', 'goes with measure only', 'before template='],
  ['audit label=x', 7, 'label=x', 'cannot be used without func=', 'leave label out'],
  ['appraise permit_directio=1', 10, 'permit_directio=1', 'takes no value', 'permit_directio'],
  [
    'appraise permit_directoi',
    10,
    'permit_directoi',
    'unknown word',
    'did you mean permit_directio?',
  ],
  ['measure subj_user=x', 9, 'subj_user=x', 'no security module', 'uid='],
  ['appraise appraise_type=sigv4', 10, 'appraise_type=sigv4', 'not a', 'did you mean sigv3?'],
  ['measure digest_type=verty', 9, 'digest_type=verty', 'not a', 'did you mean verity?'],
  ['appraise appraise_algos=sha256,SHA512', 10, 'appraise_algos=sha256,SHA512', 'not a', 'sha512?'],
  ['measure func=KEY_CHECK keyring=.ima', 24, 'keyring=.ima', 'unknown', 'did you mean keyrings=?'],
  ['measure fs_subtyp=x', 9, 'fs_subtyp=x', 'unknown word', 'did you mean fs_subtype=?'],
  ['dont_adit', 1, 'dont_adit', 'unknown word', 'did you mean dont_audit?'],
  ['measure obj_tpye=x', 9, 'obj_tpye=x', 'unknown word', 'did you mean obj_type=?'],
  ['appraise appraise_type=imasgi', 10, 'appraise_type=imasgi', 'not a', 'did you mean imasig?'],
  ['appraise appraise_algos=sha265', 10, 'appraise_algos=sha265', 'not a', 'did you mean sha256?'],
  ['appraise appraise_algos=md4', 10, 'appraise_algos=md4', 'not available', 'leave it out'],
  ['appraise digest_type=verity', 10, 'digest_type=verity', 'requires a signature', 'sigv3'],
  ['measure func=KEY_CHECK keyrings=a||b', 24, 'keyrings=a||b', 'empty name', "'|'"],
  ['appraise appraise_type=imasig|modsig', 10, 'appraise_type=imasig|modsig', 'without func=', ''],
];

for (const [line, column, token, message, hint] of problems) {
  test(`${JSON.stringify(line)}: ${message}`, () => {
    const parsed = parsePolicyLine(line, 7, 'policy', policyMachine);
    assert.ok(!parsed.ok);
    assert.deepEqual([parsed.problem.line, parsed.problem.column], [7, column]);
    assert.equal(parsed.problem.token, token);
    assert.ok(parsed.problem.message.includes(message), parsed.problem.message);
    assert.ok(parsed.problem.hint.includes(hint), parsed.problem.hint);
  });
}

test('numbers are read as kstrtoul reads them', () => {
  const magicOf = (text: string): unknown => {
    const parsed = parsePolicyLine(`measure fsmagic=${text}`, 1, 'policy', policyMachine);
    return parsed.ok ? parsed.value?.fsmagic : 'EINVAL';
  };
  assert.deepEqual(['0xEF53', 'ef53', '+0Xef53', '00ef53'].map(magicOf), Array(4).fill(0xef53));
  assert.deepEqual(['0x', '-1', '0x0x1', 'f'.repeat(17)].map(magicOf), Array(4).fill('EINVAL'));
});

test('fsname may be given again, and the last counts', () => {
  const parsed = parsePolicyLine('measure fsname=ext4 fsname=xfs', 1, 'policy', policyMachine);
  assert.ok(parsed.ok);
  assert.equal(parsed.value?.fsname, 'xfs');
});

test('a policy is taken without its last newline, comments and blanks left out', () => {
  const parsed = parsePolicy(
    '# head\n\nmeasure # all\n \t\nappraise fowner=0',
    'a.policy',
    policyMachine,
  );
  assert.deepEqual(parsed.ok && parsed.value, [
    { action: 'measure', source: 'a.policy', line: 3 },
    {
      action: 'appraise',
      fowner: { comparison: '=', id: 0 },
      source: 'a.policy',
      line: 5,
    },
  ]);
});

test('every bad line of a policy is reported', () => {
  const parsed = parsePolicy('bad\nmeasure\nworse\n', 'a.policy', policyMachine);
  assert.deepEqual(!parsed.ok && parsed.problem.map(({ line }) => line), [1, 3]);
});

test('a file of another kind is told so a hundred times, and not for each of its lines', () => {
  const text = 'x\n'.repeat(512 * 1024);
  const start = performance.now();
  const parsed = parsePolicy(text, 'core.bin', policyMachine);
  // A hint for each line took a quarter of a minute, in which nobody else's open was answered.
  assert.ok(performance.now() - start < 2000 * SLOWNESS);
  assert.equal(!parsed.ok && parsed.problem.length, 100);
});

test('no text makes the parser throw', () => {
  const word = fc.constantFrom('measure', 'func=', 'uid', '=', '>', '^MAY_READ', '#', '\0', ' ');
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word).map((words) => words.join('')),
  );
  fc.assert(
    fc.property(line, (text) => {
      const parsed = parsePolicy(text, 'any', policyMachine);
      assert.equal(typeof parsed.ok, 'boolean');
    }),
  );
});
