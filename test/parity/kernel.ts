/** A scene on a real kernel: the oracle boots it in QEMU and runs the scripts in it. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../helpers/programs.js';
import { PROJECT } from '../helpers/project.js';
import { type Answers, readAnswers } from './answer.js';
import type { Scene } from './case.js';
import { hostFiles, prepareScript, type Side, stepsScript, TREE } from './driver.js';
import { KEYS } from './signatures.js';

/** run-oracle.sh and what it needs: beside the project unless said otherwise. */
export const ORACLE = process.env['IMAFS_ORACLE'] ?? join(PROJECT, '../shared/oracle/');

const SIDE: Side = {
  tree: TREE,
  host: '/host',
  ima: '/sys/kernel/security/ima',
  // kauditd prints the records when it gets to it.
  auditLog: "sleep 0.5; dmesg | grep -o 'type=18.*'",
};

const MOST_SECONDS = 600;

/** The raw output of the scene's scripts. */
async function runOnKernel(scene: Scene, kernel: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'imafs-parity-'));
  try {
    const host = join(root, 'host');
    cpSync(program('xt'), join(host, 'xt'));
    for (const [name, content] of Object.entries(hostFiles(scene))) {
      writeFileSync(join(host, name), content);
    }
    if (scene.hasKeys) cpSync(KEYS, join(host, 'keys'), { recursive: true });
    const script = join(root, 'script.sh');
    writeFileSync(
      script,
      mountLine(scene) + keyLines(scene) + prepareScript(scene, SIDE) + stepsScript(scene, SIDE),
    );
    const words = ['--kernel', kernel, '--timeout', String(MOST_SECONDS), '--dir', host];
    const { stdout } = await promisify(execFile)(
      join(ORACLE, 'run-oracle.sh'),
      [...words, '--append', bootParameters(scene), script],
      { encoding: 'latin1', maxBuffer: 1 << 28 },
    );
    return stdout;
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Whether the oracle has been set up with that kernel (its setup.sh). */
export function isReady(kernel = 'custom'): boolean {
  const home = process.env['ORACLE_HOME'] ?? join(homedir(), '.cache/imafs-oracle');
  return existsSync(join(home, 'k', kernel, 'base.cpio'));
}

/** The answers of the scene's kernel, or of another of the oracle's. */
export async function answersOfKernel(scene: Scene, other?: string): Promise<Answers> {
  const { kernel = 'custom' } = scene;
  return readAnswers(scene, await runOnKernel(scene, other ?? kernel), other !== undefined);
}

function mountLine({ fileSystem = 'ext4' }: Scene): string {
  return fileSystem === 'ext4'
    ? `chmod 777 ${TREE}\n`
    : `mount -t ${fileSystem} -o mode=777 parity ${TREE}\n`;
}

/** Debian's kernels take any key into a keyring of that name. */
function keyLines({ hasKeys = false }: Scene): string {
  if (!hasKeys) return '';
  return (
    'keyring=$(keyctl newring _ima @u)\n' +
    'for key in /host/keys/*.der; do keyctl padd asymmetric "" $keyring < $key > /dev/null; done\n'
  );
}

/** A buffer that holds all records, and the scene's own words. */
function bootParameters({ mode = 'enforce', hash, template }: Scene): string {
  return [
    'log_buf_len=16M audit_backlog_limit=8192',
    `ima_appraise=${mode}`,
    // ima_hash= is checked against the template named before it.
    ...(template === undefined ? [] : [`ima_template=${template}`]),
    ...(hash === undefined ? [] : [`ima_hash=${hash}`]),
  ].join(' ');
}
