/** open(2) flags as the FUSE protocol carries them; O_DIRECT is the one that differs on some machines. */
import { constants } from 'node:fs';

const O_ACCMODE = 0o3;

/** The open file can be written through (FMODE_WRITE). The nameless fourth mode counts as both. */
export const isForWriting = (flags: number): boolean => (flags & O_ACCMODE) !== 0;

export const isDirect = (flags: number): boolean => (flags & constants.O_DIRECT) !== 0;

/** The open truncates the file. */
export const isTruncating = (flags: number): boolean => (flags & constants.O_TRUNC) !== 0;
