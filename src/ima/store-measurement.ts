import type { Access } from './access.js';
import { PROTECTED_XATTRS } from './evm/protected-xattrs.js';
import type { Ima } from './ima.js';
import type { ListEntry } from './list/entry.js';
import { type AuditPort, type Digest, type ImaFile, ListFailed } from './ports.js';
import { type EventData, NOTHING } from './template/field.js';
import { type Template, templateByName } from './template/template.js';

/** What a rule of the measure family says besides the deed. */
export interface Measurement {
  readonly pcr: number;
  readonly template: Template;
}

/** The PCR and template of a rule, or the usual ones (ima_match_policy). */
export function measurementOf(
  { pcr, template }: Ima,
  rule: { readonly pcr?: number; readonly template?: string } | undefined,
): Measurement {
  const named = rule?.template === undefined ? undefined : templateByName(rule.template);
  return { pcr: rule?.pcr ?? pcr, template: named ?? template };
}

/** ima_store_measurement (ima_api.c). Undefined: stored; else the cause for which it is refused. */
export async function storeMeasurement(
  ima: Ima,
  audit: AuditPort,
  { file, name }: Access,
  {
    digest,
    isVerity,
    modsig,
  }: Pick<EventData, 'isVerity' | 'modsig'> & { readonly digest: Digest },
  { pcr, template }: Measurement,
): Promise<string | undefined> {
  const event: EventData = {
    ...NOTHING,
    name: await name(),
    digest,
    isVerity,
    modsig,
    legacyDigest: uses(template, 'd') ? await legacyDigest(file, digest) : undefined,
    defaultAlgorithm: ima.hashAlgorithm,
    imaXattr: file.imaXattr,
    ...inodeFor(template, file),
  };
  return addEntry(ima, audit, entryOf(template, pcr, event));
}

/** What fields read of the inode itself, whatever the event is. */
function inodeFor(template: Template, file: ImaFile): Pick<EventData, 'xattrs' | 'inode'> {
  const { uid, gid } = file.object;
  return { xattrs: xattrsFor(template, file), inode: { uid, gid, mode: file.mode } };
}

/** ima_add_violation: always by the list's own template and PCR. As storeMeasurement. */
export async function addViolation(
  ima: Ima,
  audit: AuditPort,
  file: ImaFile,
  name: Uint8Array,
  cause: 'ToMToU' | 'open_writers',
): Promise<string | undefined> {
  const event = {
    ...NOTHING,
    name,
    isViolation: true,
    defaultAlgorithm: ima.hashAlgorithm,
    ...inodeFor(ima.template, file),
  };
  const problem = await addEntry(ima, audit, entryOf(ima.template, ima.pcr, event));
  if (problem === undefined) {
    audit.integrity({ type: 1804, op: 'invalid_pcr', cause, result: 1, errno: 0 });
  }
  return problem;
}

/** ima_alloc_init_template */
export function entryOf(template: Template, pcr: number, event: EventData): ListEntry {
  const { isViolation } = event;
  const fields = template.fields.map((field) => field.data(event));
  return { pcr, templateName: template.name, fields, isViolation };
}

/** ima_store_template. As storeMeasurement. */
export async function addEntry(
  { list }: Ima,
  audit: AuditPort,
  entry: ListEntry,
): Promise<string | undefined> {
  const record = { type: 1804, op: 'add_template_measure', errno: 0 } as const;
  try {
    const addition = await list.add(entry);
    if (addition.state === 'unextended') {
      // The kernel lets it pass too; tpm_required makes it a ListFailed.
      audit.integrity({ ...record, cause: `TPM_error(${addition.rc})`, result: 1 });
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof ListFailed)) {
      throw error;
    }
    audit.integrity({ ...record, cause: error.reason, result: 0 });
    return error.reason;
  }
}

/** ima_eventdigest_init: the template of old has room for SHA-1 and MD5 alone. */
async function legacyDigest(file: ImaFile, digest: Digest): Promise<Digest> {
  const { algorithm } = digest;
  return algorithm === 'sha1' || algorithm === 'md5'
    ? digest
    : { algorithm: 'sha1', bytes: await file.digest('sha1') };
}

/** Attributes are read only for templates that show them. */
function xattrsFor(template: Template, file: ImaFile): ReadonlyMap<string, Uint8Array> {
  const protectedOnes = uses(template, 'xattrnames', 'xattrlengths', 'xattrvalues');
  const names = [
    ...(uses(template, 'sig', 'evmsig') ? ['security.evm'] : []),
    ...(protectedOnes ? PROTECTED_XATTRS : []),
  ];
  return new Map(
    names.flatMap((name) => {
      const value = file.xattr(name);
      return value ? [[name, value] as const] : [];
    }),
  );
}

function uses({ fields }: Template, ...ids: string[]): boolean {
  return fields.some(({ id }) => ids.includes(id));
}

/** ima_template_has_modsig */
export function hasModsig(template: Template): boolean {
  return uses(template, 'modsig', 'd-modsig');
}
