import { type ShownEntry, shownName } from '../ima/list/shown-entry.js';
import type { EntryFacts } from '../ima/policy/match-entry.js';
import type { Hook } from '../ima/ports.js';
import { asUtf8 } from './entry-json.js';

/** Of files; the order is that of enum ima_hooks. */
const FILE_HOOKS: readonly Hook[] = [
  'FILE_CHECK',
  'MMAP_CHECK',
  'MMAP_CHECK_REQPROT',
  'BPRM_CHECK',
  'CREDS_CHECK',
  'MODULE_CHECK',
  'FIRMWARE_CHECK',
  'KEXEC_KERNEL_CHECK',
  'KEXEC_INITRAMFS_CHECK',
  'POLICY_CHECK',
];
/** Names of keyrings, which are the names of KEY_CHECK's entries. */
const KEYRING = /^[._][a-z]/;

/**
 * What an entry tells of the access that made it. Undefined: IMA wrote it by itself, whatever the policy
 * says. A buffer's entry (ima-buf) is a key's, the kernel's command line, or critical data.
 */
export function entryFacts(entry: ShownEntry): EntryFacts | undefined {
  const name = asUtf8(shownName(entry));
  if (/^boot_aggregate(_late)?$/.test(name)) return undefined;
  const ids = entry.template?.fields.map(({ id }) => id) ?? [];
  if (ids.includes('buf')) return bufferFacts(name);
  const [fowner, fgroup] = ['iuid', 'igid'].map((id) => numberOf(entry.fields[ids.indexOf(id)]));
  return {
    hooks: new Set(FILE_HOOKS),
    ...(fowner === undefined ? {} : { fowner }),
    ...(fgroup === undefined ? {} : { fgroup }),
  };
}

function bufferFacts(name: string): EntryFacts {
  if (name === 'kexec-cmdline') return { hooks: new Set(['KEXEC_CMDLINE']) };
  if (KEYRING.test(name)) return { hooks: new Set(['KEY_CHECK']), keyring: name };
  return { hooks: new Set(['CRITICAL_DATA']) };
}

/** u32 or, of old kernels, u16 in the machine's order (ima_eventinodeuid_init). */
function numberOf(field: Uint8Array | undefined): number | undefined {
  if (field === undefined || (field.length !== 4 && field.length !== 2)) return undefined;
  return Buffer.from(field).readUIntLE(0, field.length);
}
