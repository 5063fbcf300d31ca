import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { commandTable } from '../../../src/cli/commands.js';
import { EXIT_MEANINGS } from '../../../src/cli/exit-codes.js';
import { MOUNT_OPTIONS } from '../../../src/cli/mount-option-table.js';
import { ENTRIES } from '../../../src/control/entries.js';
import { FINDING_CODES } from '../../../src/ima/policy/lint/finding.js';
import { PROJECT } from '../../helpers/project.js';

const page = readFileSync(`${PROJECT}CLI.md`, 'utf8');

test('CLI.md has every verb with each of its options', () => {
  for (const { name, options } of commandTable(() => Promise.reject(new Error('unused')))) {
    assert.ok(page.includes(`\`imafs ${name}`), `imafs ${name}`);
    for (const [option, { help }] of Object.entries(options)) {
      if (help !== undefined) assert.ok(page.includes(`--${option}`), `${name} --${option}`);
    }
  }
});

test('CLI.md has every exit code with its meaning', () => {
  for (const [code, meaning] of Object.entries(EXIT_MEANINGS)) {
    assert.ok(page.includes(`| ${code} | ${meaning} |`), `${code} ${meaning}`);
  }
});

test('CLI.md has every code that policy lint tells', () => {
  for (const code of FINDING_CODES) assert.ok(page.includes(`\`${code}\``), code);
});

test('CLI.md has every mount option', () => {
  for (const name of Object.keys(MOUNT_OPTIONS)) assert.ok(page.includes(`\`${name}`), name);
});

test('CLI.md has every file of the control tree', () => {
  const bank = /_sha\d+$/;
  for (const { name } of ENTRIES) {
    assert.ok(page.includes(name.replace(bank, '')), name);
    const [suffix] = bank.exec(name) ?? [''];
    assert.ok(page.includes(suffix), name);
  }
});
