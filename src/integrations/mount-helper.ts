import { failure, type Result, success } from '../base/result.js';

/**
 * What mount(8) passes to /sbin/mount.TYPE, turned into the words of `imafs mount`:
 * `SOURCE TARGET [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE.SUBTYPE]` (mount(8), "External
 * helpers"). `-s`, `-n` and `-v` change nothing here; `-f` asks to do everything but the mount.
 * An empty list means: nothing to do.
 */
export function mountHelperWords(words: readonly string[]): Result<readonly string[], string> {
  const operands: string[] = [];
  const options: string[] = [];
  let fake = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '-o') {
      options.push('-o', words[++index] ?? '');
    } else if (word === '-t') {
      index++;
    } else if (word === '-N') {
      return failure('mount -N is not supported: run imafs mount inside that namespace');
    } else if (/^-[sfnv]+$/.test(word)) {
      fake ||= word.includes('f');
    } else {
      operands.push(word);
    }
  }
  if (operands.length !== 2) return failure('mount.fuse.imafs takes SOURCE TARGET');
  if (options.some((list) => list.split(',').includes('remount'))) {
    return failure('remount is not supported: unmount and mount again');
  }
  return success(fake ? [] : ['mount', ...options, '--', ...operands]);
}
