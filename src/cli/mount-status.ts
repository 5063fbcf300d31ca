import type { ControlClient } from './control-client.js';
import { EXIT } from './exit-codes.js';
import { UserError } from './user-error.js';

/** What the command line reads of a namespace's `status` file (docs of the whole: CLI.md). */
export interface NamespaceStatus {
  readonly namespace: number;
  readonly system: boolean;
  readonly active: boolean;
  readonly mode: string;
  readonly hash: string;
  readonly policy: { readonly rules: number; readonly digest: string };
  readonly counters: { readonly opens: number; readonly denied: number };
  readonly measurements?: MeasurementStatus;
  readonly lastPolicyFailure?: {
    readonly source: string;
    readonly line: number;
    readonly column: number;
    readonly message: string;
  };
  readonly lastKeyRefusal?: {
    readonly reasons: readonly { readonly reason: string; readonly remedy: string }[];
  };
}

/** The list of a namespace and the TPM it goes to. */
export interface MeasurementStatus {
  readonly count: number;
  readonly violations: number;
  /** As the control file `tpm` shows it. */
  readonly tpm: string;
  /** 'in step', 'behind' while entries are on their way to the TPM, or something is wrong. */
  readonly state: string;
  /** Entries that the PCRs are known to have. */
  readonly extended: number;
  readonly problem?: string;
}

export interface UnsettledFile {
  readonly path: string;
  /** Who kept it from being settled: a writer that is still there, or a crash. */
  readonly reason: 'writer' | 'crash';
}

/** A certificate of keys=DIR that is trusted for nothing. */
export interface UnadmittedKey {
  readonly file: string;
  readonly description: string;
  readonly reasons: readonly string[];
}

/** The whole mount; only the system's root is shown it. */
export interface MountStatus {
  readonly pid: number;
  readonly startedAt: string;
  readonly backing: string;
  readonly appraise: string;
  readonly nsPolicy: string;
  readonly transport: {
    readonly protocolMinor: number;
    readonly passthrough: string;
    readonly leases: boolean;
    readonly fsMagic: number;
    readonly fsUuid?: string;
  };
  readonly counters: {
    readonly requests: number;
    readonly opens: number;
    readonly remembered: number;
    readonly upcalls: number;
    readonly nodes: number;
  };
  readonly unsettled: readonly UnsettledFile[];
  readonly unadmittedKeys: readonly UnadmittedKey[];
  readonly namespaces: readonly NamespaceStatus[];
}

export interface Status extends NamespaceStatus {
  readonly version: string;
  readonly mount?: MountStatus;
}

/** Below the mountpoint: the status of the reader's own namespace. */
export function statusFile(controlName: string): string {
  return `${controlName}/self/status`;
}

/** Status of the reader's own namespace, or of namespace `namespace`. */
export function readStatus(client: ControlClient, namespace = 'self'): Status {
  return parseStatus(client.read(`${namespace}/status`));
}

export function parseStatus(text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    throw new UserError(EXIT.runtime, 'bad-status', `the daemon's status is not JSON: ${text}`);
  }
}
