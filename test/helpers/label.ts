/** Labels as users make them: security.ima by setfattr on the backing file. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Kernel numbers of enum hash_algo, include/uapi/linux/hash_info.h. */
const ALGORITHM_BYTE: Readonly<Record<string, string>> = {
  md5: '01',
  sha1: '02',
  sha256: '04',
  sha384: '05',
  sha512: '06',
};

export function digestOf(content: string | Uint8Array, algorithm = 'sha256'): string {
  return createHash(algorithm).update(content).digest('hex');
}

/** 0x04, the algorithm's number and the digest, in hex. */
export function labelFor(content: string | Uint8Array, algorithm = 'sha256'): string {
  return `04${ALGORITHM_BYTE[algorithm]}${digestOf(content, algorithm)}`;
}

export function setLabel(path: string, hex: string): void {
  execFileSync('setfattr', ['-h', '-n', 'security.ima', '-v', `0x${hex}`, path]);
}

/** Label a file with the digest of what it holds. */
export function labelFile(path: string): void {
  setLabel(path, labelFor(readFileSync(path)));
}

/** security.ima in hex, undefined where there is none. */
export function labelOf(path: string): string | undefined {
  try {
    const words = ['-h', '--absolute-names', '--only-values', '-n', 'security.ima', path];
    return execFileSync('getfattr', words, { stdio: ['ignore', 'pipe', 'ignore'] }).toString('hex');
  } catch {
    return undefined;
  }
}

/** security.ima in hex of all files of a tree that have it, by their paths in latin1. */
export function labelsBelow(root: string): Map<string, string> {
  const words = [
    '-R',
    '-P',
    '-e',
    'hex',
    '-d',
    '-m',
    '^security.ima$',
    '--absolute-names',
    '--',
    root,
  ];
  const text = execFileSync('getfattr', words, {
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 28,
  });
  const records = text.matchAll(/^# file: (.*)\nsecurity.ima=0x(.*)$/gm);
  return new Map([...records].map(([, path = '', hex = '']) => [path, hex]));
}
