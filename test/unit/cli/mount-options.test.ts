import assert from 'node:assert/strict';
import { test } from 'node:test';

import { daemonSettings } from '../../../src/cli/daemon-settings.js';
import { parseMountOptions } from '../../../src/cli/mount-options.js';
import { transcript } from './transcript.js';

function parsed(...lists: string[]) {
  const result = parseMountOptions(lists);
  assert.ok(result.ok, result.ok ? '' : result.problem.message);
  return result.value;
}

function problem(list: string): string {
  const result = parseMountOptions([list]);
  assert.ok(!result.ok, list);
  return `${result.problem.code}: ${result.problem.message}: ${result.problem.hint ?? ''}`;
}

test('nothing given is nothing set', () => {
  assert.deepEqual(parsed(), { mountFlags: 0, given: new Map() });
});

test('options of imafs are kept as written, over several lists, the last one counting', () => {
  const { given } = parsed('policy=/p,ima_appraise=log', 'ima_appraise=fix');
  assert.deepEqual(
    [...given],
    [
      ['policy', '/p'],
      ['ima_appraise', 'fix'],
    ],
  );
});

test('a value may hold an equals sign', () => {
  assert.equal(parsed('audit=/a=b').given.get('audit'), '/a=b');
});

test('generic flags of mount(8) set and clear in order', () => {
  assert.equal(parsed('ro,nosuid,nodev,noexec').mountFlags, 15);
  assert.equal(parsed('ro,nosuid,rw,suid').mountFlags, 0);
  assert.equal(parsed('noexec,defaults').mountFlags, 8);
  assert.equal(parsed('nosymfollow').mountFlags, 256);
  assert.match(problem('constructor'), /^unknown-mount-option: /);
});

test('words for fstab and systemd ask nothing of the daemon', () => {
  const words =
    'defaults,nofail,_netdev,noauto,user=joe,x-systemd.automount,X-mount.mkdir,relatime';
  assert.deepEqual(parsed(words), { mountFlags: 0, given: new Map() });
});

test('an unknown option names the nearest known one', () => {
  assert.match(problem('polcy=/p'), /^unknown-mount-option: .*'polcy'.*did you mean 'policy'\?/);
  assert.match(problem('zzzzzz'), /imafs mount --help/);
});

test('a value that is none of the known ones is refused with what is known', () => {
  assert.match(problem('ima_appraise=enforced'), /^bad-mount-option: .*did you mean 'enforce'\?/);
  assert.match(problem('passthrough=1'), /one of: off, ro, rw/);
});

test('an option without its value is refused', () => {
  assert.match(problem('policy'), /needs a value/);
  assert.match(problem('policy='), /needs a value/);
});

test('what is not there yet says so, and what works now', () => {
  assert.match(problem('transport=uring'), /^not-there-yet: .*is not there yet: what works now: /);
  assert.match(problem('ns_measure=both'), /^not-there-yet: .*what works now: ns_measure=own/);
});

test('the commas in the name of a TPM, and those in quotes, separate nothing', () => {
  const { given } = parsed('tpm=swtpm:host=127.0.0.1,port=2321,pcr=11');
  assert.deepEqual(
    [...given],
    [
      ['tpm', 'swtpm:host=127.0.0.1,port=2321'],
      ['pcr', '11'],
    ],
  );
  assert.equal(parsed('tpm="tabrmd:bus_type=session"').given.get('tpm'), 'tabrmd:bus_type=session');
  assert.equal(parsed('audit="/a,b",ro').given.get('audit'), '/a,b');
  assert.match(problem('port=2321'), /^unknown-mount-option: /);
  assert.match(problem('policy=/p,host=x'), /^unknown-mount-option: /);
});

test('PCRs and templates are looked at before a daemon is started', () => {
  const places = { backing: '/b', mountpoint: '/m' };
  const settings = (list: string) => daemonSettings(places, parsed(list), 'info');
  assert.throws(() => settings('pcr=7'), /no PCR for measurements/);
  assert.throws(() => settings('pcr=24'), /no PCR for measurements/);
  assert.throws(() => settings('ima_template_fmt=d-ng|x'), /no template field 'x'/);
  assert.throws(() => settings('ima_template=ima'), /has no room for sha256/);
  const { imaTemplate, pcr, tpm, tpmRequired } = settings('pcr=23,ima_template_fmt=d-ng|n-ng');
  assert.deepEqual(
    [imaTemplate.name, imaTemplate.fields.length, pcr, tpm, tpmRequired],
    ['d-ng|n-ng', 2, 23, 'none', false],
  );
});

test('a bad option is a usage error before anything is looked at', async () => {
  const { exit, stderr } = await transcript('mount -o polcy=/p /nowhere /nowhere');
  assert.equal(exit, 1);
  assert.match(stderr, /unknown mount option 'polcy'/);
});
