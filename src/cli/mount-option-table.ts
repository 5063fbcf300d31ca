/**
 * Every option of `imafs mount -o`, in one table: what a value may be, what works now, and what the
 * help says. mount(8) hands the same words over from the command line and from fstab.
 */

import { templateNames } from '../ima/template/template.js';

export interface MountOptionSpec {
  /** Values taken now. 'any' needs a value of whatever form; 'none' takes no value. */
  readonly values: readonly string[] | 'any' | 'none';
  /** Values (or, for 'any' and 'none', the option itself) of a later release: refused by that name. */
  readonly later?: readonly string[] | 'all';
  readonly default: string;
  readonly help: string;
}

export const MOUNT_OPTIONS = {
  policy: {
    values: 'any',
    default: 'no rules',
    help: 'policy of the system namespace: a file, or built-in names as in ima_policy=',
  },
  ima_appraise: {
    values: ['off', 'log', 'fix', 'enforce', 'enforce_ns'],
    default: 'enforce_ns',
    help: 'what an appraisal that fails leads to',
  },
  ima_hash: { values: 'any', default: 'sha256', help: 'digest algorithm of new labels' },
  ima_template: {
    values: templateNames,
    default: 'ima-ng',
    help: 'template of the measurement list',
  },
  ima_template_fmt: {
    values: 'any',
    default: 'none',
    help: "template of the measurement list, by fields: 'd-ng|n-ng'",
  },
  ns_policy: {
    values: ['stack', 'replace'],
    default: 'stack',
    help: "whether a namespace's own policy adds to the system's or stands alone",
  },
  ns_measure: {
    values: ['own'],
    later: ['both'],
    default: 'own',
    help: 'lists that record what happens in a namespace',
  },
  system_ns: {
    values: 'any',
    default: "the daemon's own",
    help: "'self' or the path of the mount namespace that counts as the system's",
  },
  mmap_check: {
    values: ['elf', 'all', 'off'],
    default: 'elf',
    help: 'read opens that also count as MMAP_CHECK',
  },
  tpm: {
    values: 'any',
    default: 'none',
    help: 'TPM of the system namespace: none, auto, swtpm, swtpm:..., device:/dev/tpm..., tabrmd:...',
  },
  tpm_required: {
    values: 'none',
    default: 'not set',
    help: 'refuse what cannot be extended into the TPM',
  },
  pcr: { values: 'any', default: '10', help: 'PCR that lists are extended into, 8 to 23' },
  keys: { values: 'any', default: 'none', help: 'directory of trusted certificates and CAs' },
  audit: { values: 'any', default: 'no file', help: 'file that takes the audit records' },
  state: {
    values: 'any',
    default: 'below /var/lib/imafs',
    help: 'directory of the journal and the log',
  },
  control: {
    values: 'any',
    default: '.ima',
    help: 'name of the control tree below the mountpoint',
  },
  passthrough: {
    values: ['off', 'ro', 'rw'],
    default: 'rw',
    help: 'opens whose reads and writes the kernel serves by itself',
  },
  transport: {
    values: ['auto', 'dev'],
    later: ['uring'],
    default: 'auto',
    help: 'how requests reach the daemon',
  },
} as const satisfies Readonly<Record<string, MountOptionSpec>>;

export type MountOptionName = keyof typeof MOUNT_OPTIONS;

/** mount(2) flags, include/uapi/linux/mount.h. */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_NOSYMFOLLOW = 256;

/** Generic options of mount(8) that set or clear a flag; the last one given counts. */
export const FLAG_OPTIONS: Readonly<
  Record<string, { readonly flag: number; readonly set: boolean }>
> = {
  ro: { flag: MS_RDONLY, set: true },
  rw: { flag: MS_RDONLY, set: false },
  nosuid: { flag: MS_NOSUID, set: true },
  suid: { flag: MS_NOSUID, set: false },
  nodev: { flag: MS_NODEV, set: true },
  dev: { flag: MS_NODEV, set: false },
  noexec: { flag: MS_NOEXEC, set: true },
  exec: { flag: MS_NOEXEC, set: false },
  nosymfollow: { flag: MS_NOSYMFOLLOW, set: true },
  symfollow: { flag: MS_NOSYMFOLLOW, set: false },
};

/**
 * Words of mount(8), fstab and FUSE that ask nothing of the daemon: they concern mount(8) or systemd,
 * hold anyway (allow_other, default_permissions), or are the business of the backing file system
 * (access times).
 */
export const IGNORED_OPTIONS: readonly string[] = [
  'defaults',
  'auto',
  'noauto',
  'nofail',
  '_netdev',
  'async',
  'silent',
  'loud',
  'user',
  'users',
  'nouser',
  'owner',
  'noowner',
  'group',
  'nogroup',
  'atime',
  'noatime',
  'relatime',
  'norelatime',
  'diratime',
  'nodiratime',
  'strictatime',
  'nostrictatime',
  'lazytime',
  'nolazytime',
  'allow_other',
  'default_permissions',
  'comment',
];
