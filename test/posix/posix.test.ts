/** The mount against a bare directory: same steps, same results, same tree afterwards. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { describe } from 'node:test';

import { type Imafs, useImafs } from '../helpers/imafs.js';
import { program } from '../helpers/programs.js';
import { ATTRIBUTE_CASES } from './attribute-cases.js';
import { DESCRIPTOR_CASES } from './descriptor-cases.js';
import { FILE_CASES } from './file-cases.js';
import { CONTAINER_ROOT, type Step } from './step.js';
import { USER_NAMESPACE_CASES } from './user-namespace-cases.js';

const CASES = {
  ...FILE_CASES,
  ...DESCRIPTOR_CASES,
  ...ATTRIBUTE_CASES,
  ...USER_NAMESPACE_CASES,
};

/** What a step says, with the directory's own name taken out. */
async function take(
  imafs: Imafs,
  directory: string,
  { xt, sh, uid = 0, gid = uid, container = false }: Step,
): Promise<string> {
  const ids = { uid, gid, timeoutMs: 60_000 };
  const { system } = imafs;
  const inside = (text: string): string => text.replaceAll('$D', directory);
  if (xt !== undefined && !container)
    return (await system.xt(inside(xt), ids)).join('\n').replaceAll(directory, '$D');
  const words =
    xt === undefined ? ['sh', '-c', inside(sh ?? '')] : [program('xt'), ...inside(xt).split(' ')];
  const around = container ? [program('userns'), String(CONTAINER_ROOT), '65536'] : [];
  const { stdout, stderr, exit } = await system.run([...around, ...words], ids);
  return `${stdout}${stderr}exit ${exit}`.replaceAll(directory, '$D');
}

/** Every name with type, mode, owner, links and size, then all xattrs. */
async function treeOf(imafs: Imafs, directory: string): Promise<string> {
  const find = `find . ! -name . -printf '%P %y %m %U %G %n %l ' \\( -type d -printf '-\\n' -o -printf '%s\\n' \\) | sort`;
  const xattrs = `find . -print0 | sort -z | xargs -0 getfattr -h -d -m '^(user|trusted)' 2>/dev/null; true`;
  return imafs.system.ok(['sh', '-c', `cd ${directory} && ${find} && ${xattrs}`]);
}

for (const passthrough of ['rw', 'ro', 'off']) {
  describe(`passthrough=${passthrough}`, () => {
    const imafs = useImafs({ options: { passthrough } });
    let next = 0;

    for (const [what, steps] of Object.entries(CASES)) {
      imafs.test(what, async () => {
        const name = `case-${next++}`;
        const bare = `${imafs.root}/bare/${name}`;
        for (const path of [bare, imafs.behind(name)]) {
          mkdirSync(path, { recursive: true });
          chmodSync(path, 0o777);
        }
        for (const step of steps) {
          const [expected, actual] = [
            await take(imafs, bare, step),
            await take(imafs, imafs.at(name), step),
          ];
          assert.equal(actual, expected, step.xt ?? step.sh ?? '');
        }
        const expected = await treeOf(imafs, bare);
        assert.equal(await treeOf(imafs, imafs.at(name)), expected, 'the tree through the mount');
        assert.equal(await treeOf(imafs, imafs.behind(name)), expected, 'the tree behind it');
      });
    }
  });
}
