/** What is compiled once more, for one target, with the code under test instrumented. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { PROJECT } from '../../helpers/project.js';
import { MOST_PLACES } from './hits.js';
import { instrument } from './instrument.js';

export interface Build {
  /** As dist/ is. */
  readonly root: string;
  /** How many places are counted. */
  readonly places: number;
  /** What the code has in it, and inputs may have to have. */
  readonly words: readonly Uint8Array[];
}

/** Builds below `directory`, where nothing else is. */
export function build(directory: string, code: readonly string[]): Build {
  rmSync(directory, { recursive: true, force: true });
  const root = join(directory, 'dist');
  for (const part of ['src', 'test']) {
    cpSync(join(PROJECT, 'dist', part), join(root, part), { recursive: true });
  }
  for (const part of code.filter((name) => name.startsWith('node_modules/'))) {
    cpSync(join(PROJECT, part), join(root, part), { recursive: true });
  }
  // What is looked for beside dist/, as the addon is, is found beside the copy.
  mkdirSync(directory, { recursive: true });
  symlinkSync(join(PROJECT, 'native'), join(directory, 'native'));

  let places = 0;
  const words = new Set<string>();
  const numbers = new Set<number>();
  for (const path of code.flatMap((part) => modulesOf(join(root, part)))) {
    const hits = relative(dirname(path), join(root, 'test/fuzz/js/hits.js'));
    const module = instrument(readFileSync(path, 'utf8'), hits, places);
    writeFileSync(path, module.code);
    places = module.nextPlace;
    for (const word of module.words) words.add(word);
    for (const number of module.numbers) numbers.add(number);
  }
  if (places > MOST_PLACES) throw new Error(`${places} places, more than ${MOST_PLACES}`);
  return { root, places, words: [...[...words].map(wordBytes), ...[...numbers].flatMap(inBytes)] };
}

/** The modules of a directory, or the one of a source file. */
function modulesOf(path: string): string[] {
  if (path.endsWith('.ts')) return [path.replace(/ts$/, 'js')];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(path, name));
}

function wordBytes(word: string): Uint8Array {
  return Buffer.from(word);
}

/** In as many bytes as it takes, either end first. */
function inBytes(number: number): Uint8Array[] {
  if (!Number.isInteger(number) || number < 0 || number > 0xffffffff) return [];
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  const big = bytes.subarray(Math.min(3, bytes.findIndex((byte) => byte !== 0) >>> 0));
  return big.length === 1 ? [big] : [big, Uint8Array.from(big).reverse()];
}
