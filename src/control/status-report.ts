/**
 * `status`: everything a user may want to know, as one JSON object. Names here are part of the
 * contract with scripts: add, do not change. The system's root sees the whole mount; the root of
 * another namespace its own namespace only.
 */
import { createHash } from 'node:crypto';
import type { AuditHealth } from '../audit/audit-log.js';
import type { TransportCounters, TransportFacts } from '../binding/addon-types.js';
import type { DaemonOptions } from '../daemon-options.js';
import type { KeyRefusal } from '../namespaces/keyrings.js';
import {
  LIMITS,
  type Namespace,
  type NamespaceCounters,
  selfActivated,
} from '../namespaces/namespace.js';

export interface NamespaceStatus {
  /** nsfs inode number, as in `readlink /proc/self/ns/mnt`. */
  readonly namespace: number;
  /** The 64-bit id, decimal: never reused. */
  readonly id: string;
  readonly system: boolean;
  readonly active: boolean;
  readonly activatedBy: 'system' | 'own-root' | undefined;
  readonly activatedAt: string | undefined;
  readonly mode: string;
  readonly hash: string;
  readonly policy: {
    readonly rules: number;
    readonly appraise: boolean;
    /** Of the canonical text, as `algorithm:hex`. */
    readonly digest: string;
  };
  /** The measurement list; undefined before the namespace is active. */
  readonly measurements: MeasurementStatus | undefined;
  readonly counters: NamespaceCounters;
  /** What the namespace uses and may use. */
  readonly limits: Readonly<Record<string, { readonly used: number; readonly limit: number }>>;
  readonly lastPolicyFailure: PolicyFailure | undefined;
  /** Why the latest certificate that was added was refused. */
  readonly lastKeyRefusal: (KeyRefusal & { readonly time: string }) | undefined;
}

export interface MeasurementStatus {
  readonly count: number;
  readonly violations: number;
  readonly template: string;
  /** As the control file `tpm` shows it. */
  readonly tpm: string;
  /** How list and PCRs stand to one another: closed, in step, behind, apart. */
  readonly state: string;
  /** Entries that the PCRs are known to have. */
  readonly extended: number;
  /** What is wrong, a sentence. */
  readonly problem: string | undefined;
}

export interface PolicyFailure {
  readonly time: string;
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A file whose last writer's end was not seen, so its security.ima is not up to date. */
export interface UnsettledFile {
  readonly path: string;
  readonly reason: 'writer' | 'crash';
}

export interface UnadmittedKey {
  readonly file: string;
  readonly description: string;
  readonly reasons: readonly string[];
}

/** What only the system's root sees. */
export interface MountStatus {
  readonly pid: number;
  readonly startedAt: string;
  readonly mountpoint: string;
  readonly backing: string;
  readonly appraise: string;
  readonly nsPolicy: string;
  readonly transport: TransportFacts;
  readonly counters: TransportCounters;
  readonly audit: AuditHealth;
  readonly unsettled: readonly UnsettledFile[];
  /** Certificates of keys=DIR that are trusted for nothing, and why. */
  readonly unadmittedKeys: readonly UnadmittedKey[];
  readonly namespaces: readonly NamespaceStatus[];
}

export interface StatusReport extends NamespaceStatus {
  readonly version: string;
  readonly mount: MountStatus | undefined;
}

/** Where the daemon finds what it reports. */
export interface StatusSources {
  readonly version: string;
  readonly startedAt: Date;
  readonly options: DaemonOptions;
  readonly facts: () => TransportFacts;
  readonly counters: () => TransportCounters;
  readonly audit: () => AuditHealth;
  readonly unsettled: () => readonly UnsettledFile[];
  readonly namespaces: () => readonly Namespace[];
  readonly measurements: (namespace: Namespace) => MeasurementStatus | undefined;
  readonly lastPolicyFailure: (namespace: Namespace) => PolicyFailure | undefined;
  readonly lastKeyRefusal: (namespace: Namespace) => NamespaceStatus['lastKeyRefusal'];
  readonly unadmittedKeys: readonly UnadmittedKey[];
}

const namespaceStatus = (namespace: Namespace, sources: StatusSources): NamespaceStatus => {
  const { ima, activation } = namespace;
  const policyDigest = createHash('sha256').update(ima.policy.text()).digest('hex');
  return {
    namespace: namespace.name,
    id: String(namespace.id),
    system: namespace.isSystem,
    active: namespace.isActive,
    activatedBy: activation?.by,
    activatedAt: activation?.time,
    mode: ima.mode,
    hash: ima.hashAlgorithm,
    policy: {
      rules: ima.policy.rules.length,
      appraise: ima.policy.has('appraise'),
      digest: `sha256:${policyDigest}`,
    },
    measurements: sources.measurements(namespace),
    counters: namespace.counters,
    limits: limitsOf(namespace, sources),
    lastPolicyFailure: sources.lastPolicyFailure(namespace),
    lastKeyRefusal: sources.lastKeyRefusal(namespace),
  };
};

const limitsOf = (
  namespace: Namespace,
  sources: Pick<StatusSources, 'namespaces' | 'measurements'>,
): NamespaceStatus['limits'] => {
  const { ima, denials, events, owner, activation, isSystem } = namespace;
  const ownerUid = activation?.ownerUid ?? owner?.rootUid;
  const common = {
    denials: { used: denials.entries().length, limit: LIMITS.denials },
    events: { used: events.entries().length, limit: LIMITS.events },
    files: { used: ima.iints.size, limit: LIMITS.iints },
  };
  const entries = sources.measurements(namespace)?.count ?? 0;
  if (isSystem || ownerUid === undefined) return common;
  const used = selfActivated(sources.namespaces(), ownerUid).length;
  return {
    ...common,
    rules: { used: ima.policy.rules.length, limit: LIMITS.rules },
    keys: { used: ima.keyring.keys().length, limit: LIMITS.keys },
    blacklist: { used: ima.keyring.blacklist().length, limit: LIMITS.blacklist },
    entries: { used: entries, limit: LIMITS.listEntries },
    selfActivations: { used, limit: LIMITS.selfActivationsPerUid },
  };
};

const mountStatus = (sources: StatusSources): MountStatus => ({
  pid: process.pid,
  startedAt: sources.startedAt.toISOString(),
  mountpoint: sources.options.mountpoint,
  backing: sources.options.backing,
  appraise: sources.options.appraise,
  nsPolicy: sources.options.nsPolicy,
  transport: sources.facts(),
  counters: sources.counters(),
  audit: sources.audit(),
  unsettled: sources.unsettled(),
  unadmittedKeys: sources.unadmittedKeys,
  namespaces: sources.namespaces().map((namespace) => namespaceStatus(namespace, sources)),
});

export const statusReport = (namespace: Namespace, sources: StatusSources): StatusReport => ({
  version: sources.version,
  ...namespaceStatus(namespace, sources),
  mount: namespace.isSystem ? mountStatus(sources) : undefined,
});
