import type { Digest, HashAlgorithm } from '../ports.js';

/** What fields are made from (struct ima_event_data, ima.h). */
export interface EventData {
  /** Path or name of the event, without the NUL. */
  readonly name: Uint8Array;
  /** A violation (ToMToU, open_writers): there is no digest that could be relied on. */
  readonly isViolation: boolean;
  /** The file's digest; undefined for a violation. */
  readonly digest: Digest | undefined;
  /** SHA-1 or MD5 digest for the field `d` of old; undefined for a violation. */
  readonly legacyDigest: Digest | undefined;
  /** ima_hash_algo: how much room is made where there is no digest. */
  readonly defaultAlgorithm: HashAlgorithm;
  /** `digest` is fs-verity's. */
  readonly isVerity: boolean;
  /** A signature appended to the file, where a rule looks at it. */
  readonly modsig: { readonly digest: Digest; readonly message: Uint8Array } | undefined;
  /** security.ima */
  readonly imaXattr: Uint8Array | undefined;
  /** Protected extended attributes by name, security.evm among them. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Measured data that is no file (critical data). */
  readonly buffer: Uint8Array | undefined;
  /** Of the inode; undefined where the event has none. */
  readonly inode: { readonly uid: number; readonly gid: number; readonly mode: number } | undefined;
}

/** How a field's bytes are shown in the ascii list (enum data_formats, ima_template_lib.c). */
export type FieldForm = 'digest' | 'digest-with-algorithm' | 'string' | 'hex' | 'uint';

/** One field of a template (struct ima_template_field). */
export interface Field {
  readonly id: string;
  readonly form: FieldForm;
  /** The field's bytes; empty where the event has nothing for it. */
  readonly data: (event: EventData) => Uint8Array;
}

/** What an event without inode, digest or attributes is. */
export const NOTHING: Omit<EventData, 'name' | 'defaultAlgorithm'> = {
  isViolation: false,
  digest: undefined,
  legacyDigest: undefined,
  isVerity: false,
  modsig: undefined,
  imaXattr: undefined,
  xattrs: new Map(),
  buffer: undefined,
  inode: undefined,
};
