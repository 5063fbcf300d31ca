/** What a daemon is started with: the mount options of DESIGN section 6, parsed and complete. */
import type { HashAlgorithm } from './ima/ports.js';
import type { Template } from './ima/template/template.js';

/** Values of ima_appraise=; enforce_ns is enforce, and namespaces may be activated. */
export type AppraiseOption = 'off' | 'log' | 'fix' | 'enforce' | 'enforce_ns';

/** How the policies of a namespace and of the system go together (DESIGN section 4). */
export type NamespacePolicy = 'stack' | 'replace';

/** The policy the system namespace starts with. */
export type StartPolicy =
  | { readonly kind: 'none' }
  /** Names of ima_policy=, joined with '|': tcb, appraise_tcb, secure_boot … */
  | { readonly kind: 'builtin'; readonly names: string }
  /** `source` names the file in messages. */
  | { readonly kind: 'text'; readonly source: string; readonly text: string };

export interface DaemonOptions {
  /** Absolute path of the protected directory, without symlinks. */
  readonly backing: string;
  /** Absolute path, without symlinks; may be the backing itself. */
  readonly mountpoint: string;
  readonly policy: StartPolicy;
  readonly appraise: AppraiseOption;
  /** ima_hash=: for new digests and files without a usable security.ima. */
  readonly imaHash: HashAlgorithm;
  /** ima_template= or ima_template_fmt=. */
  readonly imaTemplate: Template;
  /** PCR that lists are extended into. */
  readonly pcr: number;
  /** TPM of the system namespace, as it was given: none, auto, swtpm or a string for tpm2-tss. */
  readonly tpm: string;
  /** What cannot be extended into its TPM is refused. */
  readonly tpmRequired: boolean;
  readonly nsPolicy: NamespacePolicy;
  readonly nsMeasure: 'own' | 'both';
  /** 'self', a path to an nsfs file, or undefined: not said. */
  readonly systemNs: string | undefined;
  /** Whether a read open runs MMAP_CHECK: of ELF objects, always, never. */
  readonly mmapCheck: 'elf' | 'all' | 'off';
  /** File that takes the audit records in the kernel's form; undefined: the log alone has them. */
  readonly auditFile: string | undefined;
  /** Directory of this mount's own, made if it is not there. */
  readonly stateDirectory: string;
  /** Directory of certificates; undefined: no keys to begin with. */
  readonly keysDirectory: string | undefined;
  /** Name of the control tree at the root, `.ima`. */
  readonly controlName: string;
  readonly passthrough: 'off' | 'ro' | 'rw';
  /** MS_RDONLY 1, MS_NOSUID 2, MS_NODEV 4, MS_NOEXEC 8, MS_NOSYMFOLLOW 256. */
  readonly mountFlags: number;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

/** Why a daemon cannot start with the options it was given; the command line has an exit code for each. */
export class StartProblem extends Error {
  constructor(
    readonly about:
      | 'system-namespace'
      | 'policy'
      | 'hash'
      | 'audit'
      | 'state'
      | 'keys'
      | 'mountpoint'
      | 'tpm-name'
      | 'tpm',
    message: string,
  ) {
    super(message);
    this.name = 'StartProblem';
  }
}

/** The default of state=: one directory for each mountpoint, its slashes written as dashes. */
export const defaultStateDirectory = (mountpoint: string): string =>
  `/var/lib/imafs/${mountpoint.replaceAll('-', '\\x2d').replace(/^\/+/, '').replaceAll('/', '-') || '-'}`;
