/** The names of the control tree, DESIGN section 6: which are where, and what an open of each does. */
import { writeCriticalData } from './critical-data-file.js';
import { readDenials, readEvents } from './event-files.js';
import {
  readAuthorities,
  readAuthoritiesPem,
  readBlacklist,
  readKeyring,
  readKeyringPem,
  writeBlacklist,
  writeKeyring,
} from './keyring-files.js';
import { writeLabel } from './label-file.js';
import { LIST_BANKS, openList, openPcrs } from './list-file.js';
import { readNamespaces, writeNamespaces } from './namespaces-file.js';
import { readPolicy, writePolicy } from './policy-file.js';
import {
  readWord,
  writeActive,
  writeHash,
  writeMode,
  writeTemplate,
  writeTpm,
} from './setting-files.js';
import { type OpenFile, snapshot } from './virtual-file.js';

/** At the top, showing the reader's namespace; in NSID/; in both; or in the directory of that name in NSID/. */
export type Place = 'top' | 'namespace' | 'both' | 'keys';

export interface FileEntry {
  readonly kind: 'file';
  readonly name: string;
  readonly place: Place;
  /** Absent: an open for this access is EACCES. Every open for both is. */
  readonly read?: OpenFile;
  readonly write?: OpenFile;
  /** Only one open for writing at a time, per namespace. */
  readonly exclusive?: true;
  /** What EPERM keeps from a namespace's own root under ns_policy=replace. */
  readonly systemOnlyUnderReplace?: 'write' | 'all';
}

export interface LinkEntry {
  readonly kind: 'link';
  readonly name: string;
  readonly place: Place;
}

export interface DirectoryEntry {
  readonly kind: 'directory';
  /** Its entries have it for their place. */
  readonly name: Place;
  readonly place: Place;
}

export type Entry = FileEntry | LinkEntry | DirectoryEntry;

const lists: readonly Entry[] = (['ascii', 'binary'] as const).flatMap((form) => [
  // Without a suffix it is the SHA-1 list, as in the kernel.
  list(`${form}_runtime_measurements`, openList(form, 'sha1')),
  ...LIST_BANKS.map((bank) => list(`${form}_runtime_measurements_${bank}`, openList(form, bank))),
]);

function list(name: string, read: OpenFile): Entry {
  return { kind: 'file', name, place: 'both', read };
}

/** A setting of a namespace, which only the system may change under `replace`. */
function setting(name: string, place: Place, read: OpenFile, write: OpenFile): Entry {
  return { kind: 'file', name, place, read, write, systemOnlyUnderReplace: 'write' };
}

const pcrs: readonly Entry[] = LIST_BANKS.map((bank) => list(`pcrs_${bank}`, openPcrs(bank)));

export const ENTRIES: readonly Entry[] = [
  {
    kind: 'file',
    name: 'policy',
    place: 'both',
    read: readPolicy,
    write: writePolicy,
    systemOnlyUnderReplace: 'all',
  },
  ...lists,
  ...pcrs,
  {
    kind: 'file',
    name: 'runtime_measurements_count',
    place: 'both',
    read: readWord(({ namespace, parts }) => parts.listOf(namespace)?.current?.count ?? 0),
  },
  {
    kind: 'file',
    name: 'violations',
    place: 'both',
    read: readWord(({ namespace, parts }) => parts.listOf(namespace)?.current?.violations ?? 0),
  },
  setting(
    'active',
    'both',
    readWord(({ namespace }) => (namespace.isActive ? 1 : 0)),
    writeActive,
  ),
  setting(
    'mode',
    'both',
    readWord(({ namespace }) => namespace.ima.mode),
    writeMode,
  ),
  setting(
    'hash',
    'both',
    readWord(({ namespace }) => namespace.ima.hashAlgorithm),
    writeHash,
  ),
  setting(
    'template_name',
    'both',
    readWord(({ namespace }) => namespace.ima.template.name),
    writeTemplate,
  ),
  {
    kind: 'file',
    name: 'namespaces',
    place: 'top',
    read: readNamespaces,
    write: writeNamespaces,
    exclusive: true,
  },
  { kind: 'link', name: 'self', place: 'top' },
  setting(
    'tpm',
    'namespace',
    readWord(({ namespace, parts }) => parts.listOf(namespace)?.tpm?.name ?? 'none'),
    writeTpm,
  ),
  { kind: 'directory', name: 'keys', place: 'namespace' },
  setting('.ima', 'keys', readKeyring, writeKeyring),
  setting('.blacklist', 'keys', readBlacklist, writeBlacklist),
  { kind: 'file', name: '.builtin_trusted_keys', place: 'keys', read: readAuthorities },
  { kind: 'file', name: '.ima.pem', place: 'keys', read: readKeyringPem },
  { kind: 'file', name: '.builtin_trusted_keys.pem', place: 'keys', read: readAuthoritiesPem },
  { kind: 'file', name: 'label', place: 'namespace', write: writeLabel },
  { kind: 'file', name: 'critical_data', place: 'namespace', write: writeCriticalData },
  { kind: 'file', name: 'denials', place: 'namespace', read: readDenials },
  { kind: 'file', name: 'events', place: 'namespace', read: readEvents },
  {
    kind: 'file',
    name: 'status',
    place: 'namespace',
    read: ({ namespace, parts }) =>
      snapshot(`${JSON.stringify(parts.statusOf(namespace), undefined, 2)}\n`),
  },
];
