/**
 * The C programs of test/helpers/programs, built on demand into test/helpers/bin. They are static, so
 * that they run in any namespace and need no library that a policy could refuse.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';

import { PROJECT } from './project.js';

const SOURCES = `${PROJECT}test/helpers/programs/`;
const BIN = `${PROJECT}test/helpers/bin/`;
const GCC = ['-O1', '-Wall', '-Werror'];

const RECIPES = {
  xt: ['-static', 'xt.c', 'xt-file.c', 'xt-path.c', 'xt-process.c', 'xt-control.c'],
  uring: ['-static', 'uring.c'],
  without: ['-static', 'without.c'],
  rounds: ['-static', 'rounds.c'],
  race: ['-static', 'race.c'],
  userns: ['-static', 'userns.c'],
  soak: ['-static', 'soak.c'],
  'old-kernel': ['-shared', '-fPIC', 'old-kernel.c'],
  'exit-good': ['-nostdlib', '-static', '-DCODE=0', 'exit.c'],
  'exit-bad': ['-nostdlib', '-static', '-DCODE=66', 'exit.c'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ProgramName = keyof typeof RECIPES;

/** Path of a built program, compiled now if it is missing or older than the sources. */
export function program(name: ProgramName): string {
  const path = BIN + name;
  if (!existsSync(path) || statSync(path).mtimeMs < newestSource()) build(path, RECIPES[name]);
  return path;
}

/** A dynamically linked hello whose PT_INTERP is `interpreter`, built at `path`. */
export function buildHello(path: string, interpreter: string): void {
  compile(path, [`-Wl,--dynamic-linker=${interpreter}`, 'hello.c']);
}

/** Path of the system's dynamic loader, as /bin/true names it. */
export function dynamicLoader(): string {
  const headers = execFileSync('readelf', ['-l', '/bin/true'], { encoding: 'utf8' });
  const found = /interpreter: ([^\]]+)\]/.exec(headers)?.[1];
  if (found === undefined) throw new Error('/bin/true names no dynamic loader');
  return found;
}

function newestSource(): number {
  return Math.max(...readdirSync(SOURCES).map((file) => statSync(SOURCES + file).mtimeMs));
}

/** Renamed into place, so that test files started side by side never run half a program. */
function build(path: string, recipe: readonly string[]): void {
  mkdirSync(BIN, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  compile(unfinished, recipe);
  renameSync(unfinished, path);
}

function compile(output: string, recipe: readonly string[]): void {
  const words = recipe.map((word) => (word.endsWith('.c') ? SOURCES + word : word));
  execFileSync('gcc', [...GCC, '-o', output, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
}
