import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAY_WRITE } from '../../../src/ima/ports.js';
import { type Access, processMeasurement } from '../../../src/ima/process-measurement.js';
import { checkWriterViolation } from '../../../src/ima/violation-check.js';
import type { FakeIma } from '../../helpers/fake-list.js';
import { accessTo, FakeAudit, FakeFile, imaOf } from './fakes.js';

const yes = () => Promise.resolve(true);
const OPEN_WRITERS = '1804 invalid_pcr open_writers res=1';
const TOMTOU = '1804 invalid_pcr ToMToU res=1';

class Scene {
  readonly ima: FakeIma = imaOf('enforce', 'measure func=FILE_CHECK mask=MAY_READ fowner=1000');
  readonly file = new FakeFile('content');
  readonly audit = new FakeAudit();

  read(facts: Partial<Access> = {}) {
    return processMeasurement(this.ima, this.audit, accessTo(this.file, facts));
  }

  write(facts: Partial<Access> = {}) {
    const access = accessTo(this.file, { mask: MAY_WRITE, writable: true, ...facts });
    return processMeasurement(this.ima, this.audit, access);
  }

  get violations(): number {
    return this.ima.list.entries.filter(({ isViolation }) => isViolation).length;
  }
}

test('open_writers: zeros first, then the entry; once for each period of writers', async () => {
  const scene = new Scene();
  await scene.read({ hasWriters: yes });
  await scene.read({ hasWriters: yes });
  const lines = scene.ima.list.lines();
  assert.equal(
    lines[0],
    `10 ${'0'.repeat(40)} ima-ng sha256:${'0'.repeat(64)} /mnt/f`,
    'as the oracle shows it',
  );
  assert.equal(scene.ima.list.entries[1]?.isViolation, false);
  assert.deepEqual(scene.audit.records, [OPEN_WRITERS]);
  scene.ima.violations.writersEnded(scene.file.node);
  await scene.read({ hasWriters: yes });
  assert.equal(scene.violations, 2);
});

test('ToMToU: a writer beside a reader who measured; once until it is measured by another', async () => {
  const scene = new Scene();
  await scene.write({ hasReaders: yes });
  assert.equal(scene.violations, 0, 'nothing was measured yet');
  await scene.read();
  await scene.write();
  assert.equal(scene.violations, 0, 'the reader is gone');
  await scene.write({ hasReaders: yes });
  await scene.write({ hasReaders: yes });
  assert.equal(scene.violations, 1);
  await scene.read();
  await scene.write({ hasReaders: yes });
  assert.equal(scene.violations, 2);
  assert.deepEqual(scene.audit.records, [TOMTOU, TOMTOU]);
});

test('of two writers that ask at once one makes the violation', async () => {
  const scene = new Scene();
  await scene.read();
  await Promise.all([scene.write({ hasReaders: yes }), scene.write({ hasReaders: yes })]);
  assert.equal(scene.violations, 1);
});

test('who is not measured makes no violation, nor is one made without measure rules', async () => {
  const scene = new Scene();
  await scene.read({ mask: MAY_WRITE | 4, hasWriters: yes });
  await scene.read({ hook: 'BPRM_CHECK', hasWriters: yes });
  assert.equal(scene.violations, 0);
  const ima = imaOf('enforce', 'audit');
  ima.violations.mayEmitTomtou(1);
  const access = accessTo(scene.file, { writable: true, hasReaders: yes });
  await processMeasurement(ima, scene.audit, access);
  assert.equal(ima.list.entries.length, 0);
});

test('a violation that cannot be written down is a refusal, and is still due', async () => {
  const scene = new Scene();
  await scene.read();
  scene.ima.list.failing = 'ENOSPC';
  const verdict = await scene.write({ hasReaders: yes });
  assert.equal(!verdict.allowed && verdict.cause, 'ENOSPC');
  const read = await scene.read({ hasWriters: yes });
  assert.equal(read.allowed, false);
  scene.ima.list.failing = undefined;
  await scene.read({ hasWriters: yes });
  await scene.write({ hasReaders: yes });
  assert.equal(scene.violations, 2);
});

test('a list whose policy does not judge the writer learns of him', async () => {
  const scene = new Scene();
  await scene.read();
  const access = accessTo(scene.file, { hasReaders: yes });
  await checkWriterViolation(scene.ima, scene.audit, access);
  assert.deepEqual(scene.audit.records, [TOMTOU]);
});

test('what is known of violations outlives the results of a version, and goes with the inode', async () => {
  const scene = new Scene();
  await scene.read();
  scene.ima.iints.forget([scene.file.node]);
  assert.equal(scene.ima.violations.hasMeasuredReader(scene.file.node), true);
  scene.ima.violations.forget([scene.file.node]);
  await scene.write({ hasReaders: yes });
  assert.equal(scene.violations, 0);
});
