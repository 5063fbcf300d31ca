import type { FileOfCaller } from '../../src/binding/addon-types.js';

/** A policy file of root on ext4, as native reads it. */
export const fileOfCaller = (text: string): FileOfCaller => ({
  content: Buffer.from(text),
  file: { ino: 1n, device: '8:1', mode: 0o100600, uid: 0, gid: 0, size: text.length },
  xattrs: [],
  fsMagic: 0xef53,
});
