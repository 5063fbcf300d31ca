/** A scene on a mount of imafs, with the same scripts as on a kernel. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Imafs } from '../helpers/imafs.js';
import { program } from '../helpers/programs.js';
import { type Answers, readAnswers } from './answer.js';
import type { Scene } from './case.js';
import { hostFiles, prepareScript, type Side, stepsScript, TREE } from './driver.js';
import { KEYS } from './signatures.js';

const MOST_MS = 120_000;

/** The raw output of the scene's scripts. */
export async function runOnMount(scene: Scene): Promise<string> {
  const host = mkdtempSync(join(tmpdir(), 'imafs-parity-'));
  cpSync(program('xt'), join(host, 'xt'));
  for (const [name, content] of Object.entries(hostFiles(scene))) {
    writeFileSync(join(host, name), content);
  }
  const { mode = 'enforce', hash, template, fileSystem = 'ext4', hasKeys = false } = scene;
  const imafs = new Imafs({
    backing: fileSystem,
    mountpoint: TREE,
    options: {
      ima_appraise: mode,
      ...(hash === undefined ? {} : { ima_hash: hash }),
      ...(hasKeys ? { keys: KEYS } : {}),
      ...(template === undefined ? {} : { ima_template: template }),
    },
  });
  try {
    await imafs.startSystem();
    const side: Side = {
      tree: imafs.backing,
      host,
      ima: `${TREE}/.ima`,
      auditLog: `cat ${join(imafs.root, 'audit.log')}`,
    };
    const run = (script: string): Promise<string> => {
      const path = join(host, 'script.sh');
      writeFileSync(path, script, 'latin1');
      return imafs.system.ok(['sh', path], { timeoutMs: MOST_MS });
    };
    const unprepared = await run(prepareScript(scene, side));
    if (unprepared !== '') throw new Error(unprepared);
    await imafs.startDaemon();
    return await run(stepsScript(scene, side));
  } finally {
    await imafs.stop();
    rmSync(host, { recursive: true });
  }
}

export async function answersOfMount(scene: Scene): Promise<Answers> {
  return readAnswers(scene, await runOnMount(scene));
}
