/** Records in the kernel's form, one for each thing the kernel would report, and their JSON twins. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseAuditLine } from '../helpers/audit-lines.js';
import { PROTECTED, useImafs } from '../helpers/imafs.js';
import { digestOf } from '../helpers/label.js';
import { program } from '../helpers/programs.js';

const imafs = useImafs({ policy: [`appraise fowner=${PROTECTED}`, `audit func=BPRM_CHECK`] });

/** Lines added by an action. */
async function linesOf(action: () => Promise<unknown>): Promise<string[]> {
  const before = imafs.auditLines().length;
  await action();
  return imafs.auditLines().slice(before);
}

/** The record's body with pid, time and serial taken out. */
function body(line: string | undefined): string {
  return (line ?? '')
    .replace(/audit\([^)]*\)/, 'audit(T)')
    .replace(/\bp?pid=\d+/g, (word) => `${word.split('=')[0]}=N`);
}

imafs.test('a refusal is one 1800 record, its fields in the order of the kernel', async () => {
  const file = imafs.put('refused', 'text\n', { label: 'none' });
  const lines = await linesOf(() => imafs.system.run(['cat', file]));
  const { ino } = statSync(imafs.behind('refused'));
  const device = await imafs.system.ok([
    'sh',
    '-c',
    `findmnt -n -o SOURCE --target ${imafs.backing} | sed 's|^/dev/||'`,
  ]);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(
    body(lines[0]),
    /^type=1800 audit\(T\): pid=N uid=0 auid=\d+ ses=\d+ (subj=\S+ )?op=appraise_data cause=missing-hash comm="cat" name="/,
  );
  const { fields } = parseAuditLine(lines[0] ?? '');
  assert.deepEqual(
    [
      fields['name'],
      fields['mnt_ns'],
      fields['dev'],
      fields['ino'],
      fields['res'],
      fields['errno'],
    ],
    [file, String(imafs.system.id), device.trim(), String(ino), '0', '0'],
  );
  assert.deepEqual(
    Object.keys(fields).filter((key) => key !== 'subj'),
    [
      'pid',
      'uid',
      'auid',
      'ses',
      'op',
      'cause',
      'comm',
      'name',
      'mnt_ns',
      'dev',
      'ino',
      'res',
      'errno',
    ],
  );
});

imafs.test('a name with a blank is written in hex', async () => {
  imafs.put('a blank', 'text\n', { label: 'none' });
  const lines = await linesOf(() => imafs.system.run(['cat', imafs.at('a blank')]));
  const hex = Buffer.from(imafs.at('a blank')).toString('hex').toUpperCase();
  assert.ok(lines[0]?.includes(` name=${hex} `), lines[0]);
});

imafs.test('a caller cannot forge fields by its name', async () => {
  const file = imafs.put('forged', 'text\n', { label: 'none' });
  const copy = `${imafs.root}/x" res=1`;
  await imafs.system.ok(['cp', '/bin/cat', copy]);
  const lines = await linesOf(() => imafs.system.run([copy, file]));
  const { fields } = parseAuditLine(lines[0] ?? '');
  assert.deepEqual(
    [fields['comm'], fields['res']],
    [Buffer.from('x" res=1').toString('hex').toUpperCase(), '0'],
  );
});

imafs.test(
  "a container's refusal names the container and the path as the container sees it",
  async () => {
    const container = await imafs.activated(['appraise fowner=2000']);
    const elsewhere = `${imafs.root}/elsewhere`;
    await container.ok([
      'sh',
      '-c',
      `mkdir ${elsewhere} && mount --bind ${imafs.mountpoint} ${elsewhere}`,
    ]);
    imafs.put('seen', 'text\n', { label: 'none', owner: 2000 });
    const lines = await linesOf(() => container.run(['cat', `${elsewhere}/seen`]));
    const { fields } = parseAuditLine(lines[0] ?? '');
    assert.equal(fields['mnt_ns'], String(container.id));
    assert.ok(
      [`${elsewhere}/seen`, imafs.at('seen')].includes(fields['name'] ?? ''),
      fields['name'],
    );
  },
);

imafs.test('each rule of a policy update is a 1807 record, the update a 1802', async () => {
  const lines = await linesOf(() =>
    imafs.writePolicy('', [
      'appraise func=FILE_CHECK mask=MAY_READ fowner=77',
      'audit func=MMAP_CHECK uid=78',
    ]),
  );
  assert.deepEqual(
    lines.map((line) => parseAuditLine(line).type),
    [1807, 1807, 1802],
  );
  assert.match(
    lines[0] ?? '',
    /: action=appraise func=FILE_CHECK mask=MAY_READ fowner=77 (mnt_ns=\d+ )?res=1$/,
  );
  assert.match(
    body(lines[2]),
    /^type=1802 audit\(T\): pid=N uid=0 auid=\d+ ses=\d+ (subj=\S+ )?op=policy_update cause=completed comm="\S+" (mnt_ns=\d+ )?res=1 errno=0$/,
  );
});

imafs.test(
  'a bad rule is a 1807 record with res=0, an invalid-policy and a failed update',
  async () => {
    const lines = await linesOf(() =>
      imafs.system.xt(`open w ${imafs.control('policy')} , write audit%20uid<5%20fnord=1 , close`),
    );
    const status = (rest: string): RegExp =>
      new RegExp(`^type=1802 .* ${rest} comm="xt" mnt_ns=\\d+ res=0 errno=0$`);
    assert.match(
      lines[0] ?? '',
      /^type=1807 .*: action=audit uid<5 UNKNOWN=fnord=1 mnt_ns=\d+ res=0$/,
    );
    assert.match(lines[1] ?? '', status('op=update_policy cause=invalid-policy'));
    assert.match(lines[2] ?? '', status('op=policy_update cause=failed'));
    assert.equal(lines.length, 3);
  },
);

imafs.test('beginning and end of a namespace are records of type 1802', async () => {
  const ends = (line: string, id: number): boolean =>
    line.includes('op=namespace_retire cause=ended') && line.includes(` mnt_ns=${id} `);
  const container = await imafs.activated([]);
  const begun = imafs.auditLines().filter((line) => line.includes(` mnt_ns=${container.id} `));
  assert.match(begun.join('\n'), /^type=1802 .* op=namespace_activate cause=system /m);
  await container.stop();
  for (let tries = 0; !imafs.auditLines().some((line) => ends(line, container.id)); tries++) {
    assert.ok(tries < 100, 'its end is not recorded');
    await sleep(100);
  }
});

imafs.test('the audit action is a 1805 record, once for each content', async () => {
  const file = imafs.putProgram('audited', program('exit-good'), { owner: 0 });
  const lines = await linesOf(async () => {
    for (let round = 0; round < 3; round++) await imafs.system.ok([file]);
  });
  assert.equal(lines.length, 1, lines.join('\n'));
  const hash = digestOf(
    await imafs.system.ok(['base64', '-w0', file]).then((text) => Buffer.from(text, 'base64')),
  );
  const { type, fields } = parseAuditLine(lines[0] ?? '');
  assert.deepEqual([type, fields['file'], fields['hash']], [1805, file, `sha256:${hash}`]);
  for (const key of [
    'ppid',
    'pid',
    'auid',
    'uid',
    'gid',
    'euid',
    'suid',
    'fsuid',
    'egid',
    'sgid',
    'fsgid',
    'tty',
    'ses',
    'comm',
    'exe',
  ]) {
    assert.ok(fields[key] !== undefined, key);
  }
});

imafs.test('the log has the same records as JSON', async () => {
  const file = imafs.put('as-json', 'text\n', { label: 'none' });
  await imafs.system.run(['cat', file]);
  const line = imafs.daemon
    .log()
    .split('\n')
    .find((text) => text.includes('as-json'));
  const { audit } = JSON.parse(line ?? '{}') as {
    audit: { type: number; cause: string; name: string };
  };
  assert.deepEqual([audit.type, audit.cause, audit.name], [1800, 'missing-hash', file]);
});
