import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { test } from 'node:test';
import { hooksOfOpen, type OpenFacts } from '../../../src/ima/hooks-of-open.js';
import { MAY_APPEND, MAY_EXEC, MAY_READ, MAY_WRITE } from '../../../src/ima/ports.js';

const { O_APPEND, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const elf = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46]);
const text = Uint8Array.from([0x23, 0x21]);

const opened = (facts: Partial<OpenFacts>): string[] =>
  hooksOfOpen({
    flags: O_RDONLY,
    exec: false,
    succeeding: false,
    head: text,
    name: 'file',
    isFirmware: false,
    mmapCheck: 'elf',
    ...facts,
  }).map(({ hook, mask }) => `${hook} ${mask}`);

test('masks follow acc_mode', () => {
  const masks: readonly (readonly [number, number])[] = [
    [O_RDONLY, MAY_READ],
    [O_WRONLY, MAY_WRITE],
    [O_RDWR, MAY_READ | MAY_WRITE],
    [3, MAY_READ | MAY_WRITE],
    [O_WRONLY | O_APPEND, MAY_WRITE | MAY_APPEND],
    [O_RDONLY | O_TRUNC, MAY_READ | MAY_WRITE],
  ];
  for (const [flags, mask] of masks) {
    assert.deepEqual(opened({ flags }), [`FILE_CHECK ${mask}`]);
  }
});

test('a program', () => {
  const all = ['FILE_CHECK', 'BPRM_CHECK', 'CREDS_CHECK', 'MMAP_CHECK_REQPROT', 'MMAP_CHECK'];
  const masked = all.map((hook) => `${hook} ${MAY_EXEC}`);
  assert.deepEqual(opened({ exec: true, head: elf }), masked);
  assert.deepEqual(opened({ exec: true, head: text }), masked.slice(0, 2));
});

test('its ELF interpreter is mapped, not executed', () => {
  assert.deepEqual(opened({ exec: true, succeeding: true, head: elf }), [
    `FILE_CHECK ${MAY_EXEC}`,
    `MMAP_CHECK_REQPROT ${MAY_EXEC}`,
    `MMAP_CHECK ${MAY_EXEC}`,
  ]);
});

test('reading an ELF object stands for mapping it, as mmap_check= says', () => {
  const mapped = (facts: Partial<OpenFacts>): boolean => {
    const [asked, given] = ['MMAP_CHECK_REQPROT', 'MMAP_CHECK'].map((hook) =>
      opened(facts).includes(`${hook} ${MAY_EXEC}`),
    );
    assert.equal(asked, given);
    return given === true;
  };
  assert.equal(mapped({ head: elf }), true);
  assert.equal(mapped({ head: elf, flags: O_RDWR }), true);
  assert.equal(mapped({ head: elf, flags: O_WRONLY }), false);
  assert.equal(mapped({ head: elf, flags: O_RDWR | O_TRUNC }), false);
  assert.equal(mapped({ head: text }), false);
  assert.equal(mapped({ head: text, mmapCheck: 'all' }), true);
  assert.equal(mapped({ head: elf, mmapCheck: 'off' }), false);
});

test('a kernel module is known by its name', () => {
  const isModule = (name: string): boolean => opened({ name }).includes(`MODULE_CHECK ${MAY_READ}`);
  assert.deepEqual(
    ['loop.ko', 'loop.ko.xz', 'loop.ko.zst', 'loop.kot', 'ko', 'x.ko.d/'].map(isModule),
    [true, true, true, false, false, false],
  );
});

test('firmware that the kernel reads', () => {
  const isFirmware = true;
  assert.deepEqual(opened({ isFirmware }), [
    `FILE_CHECK ${MAY_READ}`,
    `FIRMWARE_CHECK ${MAY_READ}`,
  ]);
  assert.deepEqual(opened({ isFirmware, flags: O_WRONLY }), [`FILE_CHECK ${MAY_WRITE}`]);
});
