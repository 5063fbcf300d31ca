/** Large directories: whole, in pieces, and while they change. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { useImafs } from '../helpers/imafs.js';

const MANY = 100_000;

describe(`a directory of ${MANY} entries`, () => {
  const imafs = useImafs({
    prepare: `mkdir $BACKING/large; cd $BACKING/large; seq -f 'entry-%06.0f' ${MANY} | xargs touch`,
  });

  imafs.test('is listed whole, each name once', async () => {
    const listing = (place: string): string => `cd ${place}/large; ls -f | sort | sha256sum`;
    assert.equal(
      await imafs.system.ok(['sh', '-c', listing(imafs.mountpoint)]),
      await imafs.shell(listing('$BACKING')),
    );
    assert.equal(
      await imafs.system.ok(['sh', '-c', `ls -l ${imafs.at('large')} | wc -l`]),
      `${MANY + 1}\n`,
    );
  });

  imafs.test('has places that stay, as the backing has them', async () => {
    const [through, below] = await imafs.system.xt(
      `cookies ${imafs.at('large')} , cookies ${imafs.backing}/large`,
    );
    assert.equal(through, below);
    assert.match(through ?? '', / 0 lost$/);
  });

  imafs.test('gives each name that stays once, while others are removed', async () => {
    const script = `import os
seen = []
with os.scandir('${imafs.at('large')}') as entries:
    for number, entry in enumerate(entries):
        seen.append(entry.name)
        if number % 1000 == 0:
            for name in range(number, number + 500):
                path = '${imafs.at('large')}/entry-%06d' % (name + 1)
                if os.path.exists(path): os.unlink(path)
left = set(os.listdir('${imafs.at('large')}'))
print(len(left - set(seen)), len(seen) - len(set(seen)), len(left) < ${MANY})`;
    const words = ['python3', '-c', script];
    assert.equal(await imafs.system.ok(words, { timeoutMs: 60_000 }), '0 0 True\n');
  });

  imafs.test('is emptied by rm -r', async () => {
    const words = ['rm', '-r', imafs.at('large')];
    await imafs.system.ok(words, { timeoutMs: 60_000 });
    assert.equal(await imafs.shell('ls $BACKING'), '');
  });
});
