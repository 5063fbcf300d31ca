import type { Keyring } from './keyring/keyring.js';
import type { ListEntry } from './list/entry.js';

/**
 * What src/ima needs from the outside, and what it is asked about. Everything here is a value or an
 * interface that others implement; src/ima itself makes no system call and reads no clock.
 */

/** Kernel names (enum ima_hooks), include/linux and security/integrity/ima/ima.h. */
export type Hook =
  | 'FILE_CHECK'
  | 'MMAP_CHECK'
  | 'MMAP_CHECK_REQPROT'
  | 'BPRM_CHECK'
  | 'CREDS_CHECK'
  | 'POST_SETATTR'
  | 'MODULE_CHECK'
  | 'FIRMWARE_CHECK'
  | 'KEXEC_KERNEL_CHECK'
  | 'KEXEC_INITRAMFS_CHECK'
  | 'POLICY_CHECK'
  | 'KEXEC_CMDLINE'
  | 'KEY_CHECK'
  | 'CRITICAL_DATA'
  | 'SETXATTR_CHECK';

/** Access mask bits as the kernel's MAY_*. */
export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;
export const MAY_APPEND = 8;

/** Who accesses: ids in the daemon's user namespace. */
export interface Subject {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly capSetuid: boolean;
  readonly capSetgid: boolean;
  /** Of the security module, where a policy asks for it. */
  readonly label?: string | undefined;
}

/** What policy conditions look at: always the backing file's, never FUSE's. */
export interface ObjectFacts {
  readonly uid: number;
  readonly gid: number;
  /** statfs f_type */
  readonly fsMagic: number;
  /** file system type name, "ext4" */
  readonly fsName: string;
  /** lower-case UUID or undefined */
  readonly fsUuid: string | undefined;
  /** What stands behind the dot of fuse.sshfs, undefined for most file systems. */
  readonly fsSubtype?: string | undefined;
  /** security.selinux, where a policy asks for it. */
  readonly label?: string | undefined;
}

export interface Digest {
  readonly algorithm: HashAlgorithm;
  readonly bytes: Uint8Array;
}

/** Kernel crypto names (hash_algo_name), crypto/hash_info.c. */
export type HashAlgorithm = string;

/** A signature that stands behind the content it is over (modsig): PKCS#7, as kernel modules have it. */
export interface AppendedSignature {
  /** The PKCS#7 message in DER. */
  readonly message: Uint8Array;
  /** Of the content before it, by the algorithm that the message names. */
  readonly digest: Digest;
  /** Whether a key of .ima made it (integrity_modsig_verify). */
  verify(keyring: Keyring): boolean;
}

/** One file as one access sees it. Methods may reject: the caller then refuses (fail closed). */
export interface ImaFile {
  /** Key of the file's iint; the same node is the same inode as long as it is known. */
  readonly node: number;
  /** Equal versions mean equal content and metadata. */
  readonly version: number;
  readonly object: ObjectFacts;
  /** security.ima, undefined where there is none. */
  readonly imaXattr: Uint8Array | undefined;
  /** Made since its last settled writer: it may be new (kernel IMA_NEW_FILE) to who appraised its making. */
  readonly isNew: boolean;
  /** Made by this open (FMODE_CREATED). */
  readonly isCreated: boolean;
  /** Made by no open so far: mknod(2), and nobody writes to it. */
  readonly isUnopened: boolean;
  readonly sizeBytes: number;
  /**
   * Nobody is known to write to it, so that equal versions do mean equal content. Looking for writers
   * is part of `digest`, so that it can become false.
   */
  readonly mayKeep: boolean;
  /** For templates that show owner and mode. */
  readonly mode: number;
  /** An extended attribute as it is now, undefined where there is none. */
  xattr(name: string): Uint8Array | undefined;
  /** Content digest of this version; rejects when it cannot be read, with FileMoved if it changed meanwhile. */
  digest(algorithm: HashAlgorithm): Promise<Uint8Array>;
  /**
   * The fs-verity digest: the file system's, else computed with `preferred`, or SHA-256 where fs-verity
   * does not know that one. Rejects as `digest` does.
   */
  verityDigest(preferred: HashAlgorithm): Promise<Digest>;
  /** What is appended to the content, undefined where nothing or no signature is. */
  appendedSignature(): Promise<AppendedSignature | undefined>;
  /** Somebody can store into it through a mapping (mapping_writably_mapped). */
  isMappedForWriting(): Promise<boolean>;
  /** Write security.ima (fix mode); false where the sharing rule forbids it. */
  writeImaXattr(value: Uint8Array): Promise<boolean>;
}

/** enum integrity_status */
export type IntegrityStatus =
  | 'PASS'
  | 'PASS_IMMUTABLE'
  | 'FAIL'
  | 'FAIL_IMMUTABLE'
  | 'NOLABEL'
  | 'NOXATTRS'
  | 'UNKNOWN';

export type AppraiseMode = 'off' | 'log' | 'fix' | 'enforce';

/** The records IMA itself produces; src/audit gives them the kernel's form and adds the caller. */
export interface AuditPort {
  /** integrity_audit_msg: types 1800 (DATA), 1802 (STATUS), 1804 (PCR). */
  integrity(record: {
    readonly type: 1800 | 1802 | 1804;
    readonly op: string;
    readonly cause: string;
    /** res= in the record: 1 success */
    readonly result: 0 | 1;
    readonly errno: number;
    /** The record names the last component alone, where the kernel has not worked the path out yet. */
    readonly byLastName?: true;
    /** Instead of the caller's name. */
    readonly comm?: string;
  }): void;
  /** ima_audit_measurement: type 1805, the `audit` action. `comm`: instead of the caller's name. */
  measurement(digest: Digest, comm?: string): void;
}

/** What became of an entry: new in the list; there before; or new, but the TPM did not take it. */
export type Addition =
  | { readonly state: 'added' }
  | { readonly state: 'exists' }
  | { readonly state: 'unextended'; readonly rc: number };

/** The entry could not be had where it must be: whatever it is about is to be refused. */
export class ListFailed extends Error {
  constructor(
    /** As an audit record names it: ENOSPC, TPM_error(N). */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`the measurement list could not take an entry: ${reason}`, options);
  }
}

/** The measurement list of one namespace, with its PCR. */
export interface ListPort {
  /**
   * ima_add_template_entry (ima_queue.c): in the list and in the PCR once it resolves, unless it says
   * otherwise. What is there already is not added again, a violation always is. Rejects with ListFailed.
   */
  add(entry: ListEntry): Promise<Addition>;
}
