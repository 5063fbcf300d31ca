/** What the files of cases hold, and how their security.ima says so. */
import { digestOf, labelFor } from '../helpers/label.js';

export const TEXT = 'some text\n';

/** Kernel numbers of enum hash_algo (include/uapi/linux/hash_info.h) by OpenSSL's names. */
export const ALGORITHM_IDS = {
  md5: 1,
  sha1: 2,
  rmd160: 3,
  sha256: 4,
  sha384: 5,
  sha512: 6,
  sha224: 7,
  'sha3-256': 20,
  'sha3-384': 21,
  'sha3-512': 22,
} as const;

export const good = (content: string | Uint8Array = TEXT): string => labelFor(content);

/** The label of another content. */
export const wrong = labelFor('another text\n');

/** A header of version 2 for SHA-256, a key nobody has, and two bytes of signature. */
export const SIGNATURE = '0302040011223300020102';

export const byteHex = (value: number): string => value.toString(16).padStart(2, '0');

/** Type 0x04 with whatever algorithm OpenSSL knows. */
export function labelBy(
  algorithm: keyof typeof ALGORITHM_IDS,
  content: string | Uint8Array = TEXT,
): string {
  return `04${byteHex(ALGORITHM_IDS[algorithm])}${digestOf(content, algorithm)}`;
}

/** An ELF program of x86-64 that leaves with 0: the same bytes on every machine that tests. */
export function program(): Uint8Array {
  const code = [0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]; // xor edi,edi; mov eax,60; syscall
  const base = 0x400000;
  const headers = 64 + 56;
  const bytes = Buffer.alloc(headers + code.length);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(2, 16); // ET_EXEC
  bytes.writeUInt16LE(62, 18); // EM_X86_64
  bytes.writeUInt32LE(1, 20);
  bytes.writeUInt32LE(base + headers, 24); // entry
  bytes.writeUInt32LE(64, 32); // program headers
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64); // PT_LOAD
  bytes.writeUInt32LE(5, 68); // r-x
  bytes.writeUInt32LE(base, 80);
  bytes.writeUInt32LE(base, 88);
  bytes.writeUInt32LE(bytes.length, 96);
  bytes.writeUInt32LE(bytes.length, 104);
  bytes.writeUInt32LE(0x1000, 112);
  bytes.set(code, headers);
  return bytes;
}

export const PROGRAM = program();
