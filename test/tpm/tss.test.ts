import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseTcti } from '../../src/tpm/tcti.js';
import { JournalFailed, type Tpm, TpmFailed } from '../../src/tpm/tpm.js';
import { openTss, type TssOptions } from '../../src/tpm/tss.js';
import { TestSwtpm } from '../helpers/swtpm.js';

const PCR = 10;
const TPM_CC_PCR_EXTEND = 0x182;
const SIZES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

const directory = mkdtempSync(join(tmpdir(), 'imafs-tss-'));
after(() => rmSync(directory, { recursive: true }));

/** execFileSync would stop the orders as well. */
const pcrread = (...words: readonly string[]) =>
  promisify(execFile)('tpm2_pcrread', words, { timeout: 20_000 });

let journals = 0;
/** A journal of a test, and what it holds by lines. */
const newJournal = () => {
  journals += 1;
  const path = join(directory, `journal-${journals}`);
  const fd = openSync(path, 'a');
  after(() => closeSync(fd));
  return { fd, lines: () => readFileSync(path, 'utf8').split('\n').slice(0, -1) };
};
type Journal = ReturnType<typeof newJournal>;

const open = async (swtpm: TestSwtpm, options?: TssOptions): Promise<Tpm> => {
  const parsed = parseTcti(swtpm.tcti);
  assert.ok(parsed.ok);
  const tpm = await openTss(parsed.value, options);
  after(() => tpm.close());
  return tpm;
};

const digestsOf = (tpm: Tpm, text: string): Uint8Array[] =>
  tpm.banks.map((bank) => createHash(bank).update(text).digest());

const extend = (tpm: Tpm, journal: Journal, text: string): Promise<void> =>
  tpm.extend({
    pcr: PCR,
    digests: digestsOf(tpm, text),
    journal: { fd: journal.fd, bytes: Buffer.from(`${text}\n`) },
  });

/** What a PCR is after these, from zeros. */
const replay = (bank: string, texts: readonly string[]): string =>
  texts
    .reduce(
      (value, text) =>
        createHash(bank).update(value).update(createHash(bank).update(text).digest()).digest(),
      Buffer.alloc(SIZES[bank]!),
    )
    .toString('hex');

const hexOf = async (tpm: Tpm, bank: string): Promise<string> =>
  Buffer.from((await tpm.read(PCR)).get(bank) ?? []).toString('hex');

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `entry ${from + index}`);

/** Settles each; the indices of those that failed are all a TpmFailed or a JournalFailed. */
const outcomes = async (orders: readonly Promise<void>[]) => {
  const settled = await Promise.allSettled(orders);
  return settled.map((one) => (one.status === 'fulfilled' ? undefined : (one.reason as Error)));
};

for (const over of ['unix', 'tcp'] as const) {
  test(`over ${over}, 500 queued orders are done in order, once each, and tpm2_pcrread agrees`, async () => {
    const swtpm = await TestSwtpm.start({ over, logged: true });
    const tpm = await open(swtpm);
    assert.deepEqual(tpm.banks, ['sha1', 'sha256', 'sha384', 'sha512']);
    const journal = newJournal();
    const texts = numbered(500);
    await Promise.all(texts.map((text) => extend(tpm, journal, text)));
    assert.deepEqual(journal.lines(), texts);
    for (const bank of tpm.banks) {
      assert.equal(await hexOf(tpm, bank), replay(bank, texts), bank);
      assert.equal(swtpm.pcr(bank, PCR), replay(bank, texts), `tpm2_pcrread of ${bank}`);
    }
    assert.equal(swtpm.countCommands(TPM_CC_PCR_EXTEND), texts.length);
  });
}

test('others reach the TPM while it is extended, and while it is idle', async () => {
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm);
  const journal = newJournal();
  assert.equal(swtpm.pcr('sha256', PCR), '00'.repeat(32));
  const reader = pcrread('-T', swtpm.tcti, `sha256:${PCR}`);
  const hasRead = { yet: false };
  const finished = reader.finally(() => (hasRead.yet = true));
  let done = 0;
  do {
    await Promise.all(numbered(64, done).map((text) => extend(tpm, journal, text)));
    done += 64;
  } while (!hasRead.yet);
  assert.match((await finished).stdout, /0x[0-9A-F]{64}/);
  assert.equal(swtpm.pcr('sha256', PCR), replay('sha256', numbered(done)));
});

test('a TPM that is killed fails what it did not do, with all of it in the journal', async () => {
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm);
  const journal = newJournal();
  const texts = numbered(3000);
  const orders = texts.map((text) => extend(tpm, journal, text));
  const settled = outcomes(orders);
  await orders[500];
  await swtpm.kill();
  const failures = await settled;
  const first = failures.findIndex((failure) => failure !== undefined);
  assert.ok(first > 500, 'those before were done');
  assert.ok(failures.slice(first).every((failure) => failure instanceof TpmFailed));
  assert.deepEqual(journal.lines(), texts);

  await assert.rejects(tpm.reconnect(), TpmFailed);
  await assert.rejects(tpm.read(PCR), TpmFailed);
  await assert.rejects(tpm.resetCount(), TpmFailed);

  // Back again, but nothing is extended before reconnect.
  await swtpm.start();
  await assert.rejects(extend(tpm, journal, 'too early'), TpmFailed);
  assert.equal(journal.lines().at(-1), 'too early');
  await tpm.reconnect();
  await tpm.resume();
  await extend(tpm, journal, 'again');
  assert.equal(await hexOf(tpm, 'sha1'), replay('sha1', ['again']), 'PCRs began anew');
});

test('a TPM that is reset between two orders is noticed by its reset count', async () => {
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm);
  const journal = newJournal();
  const before = await tpm.resetCount();
  await extend(tpm, journal, 'one');
  await swtpm.kill();
  await swtpm.start();
  await assert.rejects(extend(tpm, journal, 'two'), /reset/);
  await assert.rejects(extend(tpm, journal, 'three'), /reset/);
  assert.deepEqual(journal.lines(), ['one', 'two', 'three']);
  assert.equal(swtpm.pcr('sha1', PCR), '00'.repeat(20), 'the new PCR was not touched');
  await tpm.reconnect();
  await tpm.resume();
  assert.notEqual(await tpm.resetCount(), before);
});

test('a swtpm that nobody started up is started up', async () => {
  const swtpm = await TestSwtpm.start({ startup: 'startup-none' });
  const tpm = await open(swtpm);
  const journal = newJournal();
  await extend(tpm, journal, 'one');
  assert.equal(await hexOf(tpm, 'sha256'), replay('sha256', ['one']));
});

test('a TPM that hangs fails orders at its deadline and later ones at once', async () => {
  const deadlineMs = 400;
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm, { deadlineMs });
  const journal = newJournal();
  await extend(tpm, journal, 'before');
  swtpm.signal('SIGSTOP');
  const texts = numbered(200);
  const began = performance.now();
  const failures = await outcomes(texts.map((text) => extend(tpm, journal, text)));
  assert.ok(performance.now() - began >= deadlineMs);
  assert.ok(failures.every((failure) => failure instanceof TpmFailed));
  assert.match(failures[0]!.message, /does not answer/);
  const later = performance.now();
  await assert.rejects(extend(tpm, journal, 'later'), /does not answer/);
  await assert.rejects(tpm.read(PCR), /does not answer/);
  await assert.rejects(tpm.reconnect(), /does not answer/);
  assert.ok(performance.now() - later < deadlineMs, 'at once');
  assert.deepEqual(journal.lines(), ['before', ...texts, 'later']);

  swtpm.signal('SIGCONT');
  const limit = performance.now() + 10_000;
  while (
    await tpm.reconnect().then(
      () => false,
      () => true,
    )
  ) {
    assert.ok(performance.now() < limit, 'it never came back');
    await sleep(5);
  }
  await tpm.resume();
  // The order under way when it was given up reached the TPM, or did not; none after it did.
  const value = await hexOf(tpm, 'sha1');
  const possible = [['before'], ['before', texts[0]!]].map((done) => replay('sha1', done));
  assert.ok(possible.includes(value));
  await extend(tpm, journal, 'after');
  const extended = possible.indexOf(value) === 0 ? ['before'] : ['before', texts[0]!];
  assert.equal(await hexOf(tpm, 'sha1'), replay('sha1', [...extended, 'after']));
  assert.equal(journal.lines().at(-1), 'after');
});

test('the journal that takes nothing keeps the PCR as it is', async () => {
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm);
  const journal = newJournal();
  const full = openSync('/dev/full', 'w');
  after(() => closeSync(full));
  const failures = await outcomes([
    extend(tpm, journal, 'one'),
    extend(tpm, { ...journal, fd: full }, 'lost'),
    extend(tpm, journal, 'two'),
  ]);
  assert.deepEqual(
    failures.map((failure) => (failure instanceof JournalFailed ? failure.code : failure)),
    [undefined, 'ENOSPC', undefined],
  );
  assert.equal(await hexOf(tpm, 'sha1'), replay('sha1', ['one', 'two']));
});

test('nothing follows what the TPM refused into a PCR, until it is reached anew', async () => {
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm);
  const journal = newJournal();
  await assert.rejects(tpm.read(24), TpmFailed);
  await assert.rejects(
    tpm.extend({
      pcr: 24,
      digests: digestsOf(tpm, 'x'),
      journal: { fd: journal.fd, bytes: Buffer.from('x\n') },
    }),
    TpmFailed,
  );
  await tpm.reconnect();
  await tpm.resume();
  // PCR 17 may be extended by locality 4 and 2 to 3 only (PC client platform profile).
  const refused = {
    pcr: 17,
    digests: digestsOf(tpm, 'y'),
    journal: { fd: journal.fd, bytes: Buffer.from('y\n') },
  };
  await assert.rejects(
    tpm.extend(refused),
    (error) => error instanceof TpmFailed && error.rc !== 0 && /locality/i.test(error.message),
  );
  await assert.rejects(extend(tpm, journal, 'one'), TpmFailed);
  await tpm.reconnect();
  await tpm.resume();
  await extend(tpm, journal, 'two');
  assert.equal(await hexOf(tpm, 'sha1'), replay('sha1', ['two']));
  assert.deepEqual(journal.lines(), ['x', 'y', 'one', 'two']);
});

test('digests that do not fit the banks are a bug and touch nothing', async () => {
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm);
  const journal = newJournal();
  const order = { pcr: PCR, digests: [], journal: { fd: journal.fd, bytes: Buffer.from('x\n') } };
  await assert.rejects(tpm.extend(order), RangeError);
  assert.deepEqual(journal.lines(), []);
});

test('only allocated banks are extended', async () => {
  const swtpm = await TestSwtpm.start();
  swtpm.tool('tpm2_pcrallocate', 'sha1:none+sha256:all+sha384:none+sha512:none');
  await swtpm.kill();
  await swtpm.start();
  const tpm = await open(swtpm);
  assert.deepEqual(tpm.banks, ['sha256']);
  const journal = newJournal();
  await extend(tpm, journal, 'one');
  assert.equal(swtpm.pcr('sha256', PCR), replay('sha256', ['one']));
});

test('close waits for the orders given, and nothing is extended after it', async () => {
  const swtpm = await TestSwtpm.start();
  const tpm = await open(swtpm);
  const journal = newJournal();
  const texts = numbered(100);
  const orders = Promise.all(texts.map((text) => extend(tpm, journal, text)));
  await tpm.close();
  await orders;
  await assert.rejects(extend(tpm, journal, 'late'), /closed/);
  assert.equal(swtpm.pcr('sha1', PCR), replay('sha1', texts));
});

test('no TPM there is an error that names it', async () => {
  const swtpm = await TestSwtpm.start();
  await swtpm.kill();
  const parsed = parseTcti(swtpm.tcti);
  assert.ok(parsed.ok);
  await assert.rejects(
    openTss(parsed.value),
    (error) => error instanceof TpmFailed && error.message.includes(swtpm.tcti),
  );
});
