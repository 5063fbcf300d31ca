/** Opens one file of the tree: the access mode, what `replace` reserves for the system, and EBUSY. */
import { constants } from 'node:fs';
import type { ErrnoName } from '../base/errno.js';
import type { FileEntry } from './entries.js';
import type { OpenContext, VirtualFile } from './virtual-file.js';

/** fcntl.h; Node does not name it. */
const O_ACCMODE = 0o3;

/** Files that somebody holds open for writing, for those that take one writer at a time. */
export type Writers = Set<string>;

/** `flags` as of open(2). The caller is already known to be one who may use the namespace's files. */
export const openEntry = (
  entry: FileEntry,
  context: OpenContext,
  flags: number,
  writers: Writers,
): VirtualFile | ErrnoName => {
  const access = flags & O_ACCMODE;
  const writing = access === constants.O_WRONLY;
  const open = writing ? entry.write : entry.read;
  // O_RDWR is EACCES, as in ima_open_policy().
  if (open === undefined || access > constants.O_WRONLY) return 'EACCES';
  if (isKeptForSystem(entry, context, writing)) return 'EPERM';
  if (!writing || entry.exclusive === undefined) return open(context);

  const key = `${context.namespace.id}/${entry.name}`;
  if (writers.has(key)) return 'EBUSY';
  const file = open(context);
  if (typeof file === 'string') return file;
  writers.add(key);
  const release = file.release?.bind(file);
  return Object.assign(file, {
    release: () => {
      writers.delete(key);
      release?.();
    },
  });
};

/** Under ns_policy=replace only the system may activate and load. */
const isKeptForSystem = (
  { systemOnlyUnderReplace }: FileEntry,
  { caller, parts }: OpenContext,
  writing: boolean,
): boolean =>
  parts.nsPolicy === 'replace' &&
  caller.scope !== parts.registry.system.id &&
  (systemOnlyUnderReplace === 'all' || (systemOnlyUnderReplace === 'write' && writing));
