/**
 * The composition root: builds the parts, wires them, mounts, and stops in reverse order. It is the one
 * file that knows all others.
 */
import { readFileSync } from 'node:fs';
import type { AuditLog } from './audit/audit-log.js';
import { activeLsm } from './base/active-lsm.js';
import { createLog, type Log } from './base/log.js';
import { loadAddon } from './binding/addon.js';
import type { Addon, NativeTransport, TransportFacts } from './binding/addon-types.js';
import { canHash } from './binding/hash-algorithms.js';
import { HashPool } from './binding/hash-pool.js';
import { FileLabeller } from './control/label.js';
import { LabelRule, readIdMap } from './control/label-rule.js';
import { type StatusSources, statusReport } from './control/status-report.js';
import { ControlTree } from './control/tree.js';
import { openAudit, openState, turnToMount } from './daemon-files.js';
import {
  keyringMaker,
  keyringsOf,
  measureSystemKeys,
  openKeys,
  shownAuthorities,
} from './daemon-keys.js';
import {
  imaMaker,
  type MakeIma,
  measurementStatus,
  openLists,
  openSystemList,
} from './daemon-lists.js';
import { type DaemonOptions, StartProblem } from './daemon-options.js';
import { AttributesHandler } from './gate/attributes.js';
import { type BackingFacts, backingFacts, deviceOfMount } from './gate/backing-facts.js';
import { Denials } from './gate/denials.js';
import { DigestCache } from './gate/digest-cache.js';
import { Dispatch } from './gate/dispatch.js';
import { type Firmware, firmwareOfMachine } from './gate/firmware.js';
import type { Journal } from './gate/journal.js';
import { OpenHandler } from './gate/open.js';
import { GUARDED_XATTRS } from './gate/opened-file.js';
import { Settling } from './gate/settling.js';
import { XattrHandler } from './gate/xattr.js';
import type { LeftFile } from './ima/check-last-writer.js';
import { changeIma, type Ima } from './ima/ima.js';
import type { Lsm, PolicyMachine } from './ima/policy/condition.js';
import type { SystemKeys } from './keys/keys-directory.js';
import type { Lists } from './lists/lists.js';
import { boundNames } from './namespaces/bound-names.js';
import { BufferMeasurements } from './namespaces/buffer-measurements.js';
import { Lifecycle } from './namespaces/lifecycle.js';
import { Lineage } from './namespaces/lineage.js';
import { namespaceIds } from './namespaces/namespace-ids.js';
import { Paths } from './namespaces/paths.js';
import { policyCheck } from './namespaces/policy-check.js';
import { POLICY_FILE_XATTRS } from './namespaces/policy-file.js';
import { PolicyLoader } from './namespaces/policy-loader.js';
import { PolicyReads } from './namespaces/policy-reads.js';
import { ProcessWalks } from './namespaces/process-walks.js';
import { Registry } from './namespaces/registry.js';
import { Settings } from './namespaces/settings.js';
import { Sharing } from './namespaces/sharing.js';
import { startPolicy } from './namespaces/start-policy.js';
import {
  findSystemNamespace,
  type SystemNamespace,
  systemPlace,
} from './namespaces/system-namespace.js';
import { settleTpmChoice } from './tpm/open-tpm.js';

/** A daemon that serves its mount, in this process. */
export interface RunningDaemon {
  /** Resolves when the mount is gone and everything is closed, with what ended it if that was a fault. */
  readonly ended: Promise<string | undefined>;
  /** Unmounts; resolves with `ended`. */
  stop(): Promise<void>;
}

/** What a policy may ask of this machine. */
const policyMachine: PolicyMachine = { canHash, lsm: activeLsm() };

/** Where the security modules keep their labels of files. */
const LABEL_XATTRS: Readonly<Record<Lsm, string>> = {
  selinux: 'security.selinux',
  smack: 'security.SMACK64',
  apparmor: 'security.apparmor',
};

/** How long the helper that reads a policy file for its writer may take. */
const POLICY_READ_MS = 5000;

/**
 * Mounts and serves. Rejects with a StartProblem or another Error, of the system's with `code`, and
 * nothing is mounted then. `beforeMount` runs when all else is there, before the backing directory is
 * looked at. `addon` is native/, or what stands for it in tests.
 */
export const startDaemon = async (
  options: DaemonOptions,
  beforeMount: () => Promise<void>,
  addon: Addon = loadAddon(),
): Promise<RunningDaemon> => {
  const log = createLog(options.logLevel);
  const systemNamespace = findSystemNamespace(addon, options.systemNs);
  if (!systemNamespace.ok) throw new StartProblem('system-namespace', systemNamespace.problem);
  const policy = startPolicy(options.policy, policyMachine);
  if (!policy.ok) throw new StartProblem('policy', policy.problem);
  if (!canHash(options.imaHash)) {
    throw new StartProblem('hash', `${options.imaHash} cannot be computed here`);
  }
  const keys = openKeys(options, addon, log);
  const journal = await openState(options.stateDirectory, addon);
  const audit = await openAudit(options, log);
  const pool = new HashPool();
  const lists = openLists(options, addon, log);
  const close = once(() => closeAll(pool, audit, journal, lists));

  const wake: Wake = { call: () => undefined, began: () => undefined };
  let mounted: NativeTransport | undefined;
  try {
    // Whatever is read by path is read before the mount, which may lie over it.
    const version = ownVersion();
    await pool.ready();
    const makeIma = imaMaker(options, lists, keyringMaker(keys));
    const isSystem = true;
    const systemIma = makeIma({
      id: systemNamespace.value.scope,
      isSystem,
      uid: () => undefined,
      began: (id) => wake.began(id),
    });
    changeIma(systemIma, { policy: policy.value });
    await openSystemList(options, lists, systemNamespace.value);
    // Only a policy of the user's has queued keys measured, not a built-in one.
    if (options.policy.kind === 'text') {
      await measureSystemKeys(keys, systemIma, systemNamespace.value, audit);
    }
    const mount = await mountInTurn(options, addon, beforeMount, wake);
    mounted = mount.transport;
    const given = { options, addon, log, version, journal, audit, pool, ...mount };
    const system = { ...systemNamespace.value, ima: systemIma };
    return serve({ ...given, lists, keys, makeIma, system, wake, close });
  } catch (error) {
    try {
      mounted?.unmount(true);
    } catch (err) {
      // What went wrong first is what is told.
      log.error({ err }, 'the mount could not be taken away');
    }
    await close();
    throw error;
  }
};

/** What is called from below; set once there is somebody to be called. */
interface Wake {
  /** Native has something to take. */
  call: () => void;
  /** A list began anew. */
  began: (id: bigint) => void;
}

/** The step that everything before is a preparation for; the place must be free, which others see to as well. */
const mountInTurn = async (
  options: DaemonOptions,
  addon: Addon,
  beforeMount: () => Promise<void>,
  wake: Wake,
) => {
  const endTurn = await turnToMount(options.mountpoint, addon);
  try {
    await beforeMount();
    const backing = backingFacts(options.backing);
    const firmware = firmwareOfMachine();
    const transport = addon.createTransport(transportOptions(options, backing.anonymousId), () =>
      wake.call(),
    );
    return { backing, firmware, transport, facts: transport.start() };
  } finally {
    endTurn();
  }
};

/** What a daemon has once it is mounted. */
interface Mounted {
  readonly options: DaemonOptions;
  readonly addon: Addon;
  readonly log: Log;
  readonly version: string;
  readonly backing: BackingFacts;
  readonly firmware: Firmware;
  readonly journal: Journal;
  readonly audit: AuditLog;
  readonly pool: HashPool;
  readonly transport: NativeTransport;
  readonly facts: TransportFacts;
  readonly lists: Lists;
  readonly keys: SystemKeys;
  readonly makeIma: MakeIma;
  readonly system: SystemNamespace & { readonly ima: Ima };
  readonly wake: Wake;
  readonly close: () => Promise<void>;
}

/** Builds the parts and wires them. */
const serve = (mounted: Mounted): RunningDaemon => {
  const { options, addon, log, backing, firmware, journal, audit, pool, transport, facts } =
    mounted;
  const { system, lists, keys, makeIma, version, wake, close } = mounted;
  const startedAt = new Date();

  // Namespaces and their policies.
  const lineage = new Lineage(system.scope);
  const ids = namespaceIds({ addon, boundNames, forgotten: (scope) => lineage.forget(scope) });
  if (!ids.hold(system.scope, systemPlace(options.systemNs))) {
    throw new StartProblem('system-namespace', "the system's mount namespace has ended");
  }
  const walks = new ProcessWalks(ids);
  const registry: Registry = new Registry(
    {
      addon,
      ids,
      transport,
      lineage,
      walks,
      nsPolicy: options.nsPolicy,
      newIma: (id) =>
        makeIma({
          id,
          isSystem: false,
          uid: () => registry.byId(id)?.activation?.ownerUid,
          began: (anew) => wake.began(anew),
        }),
      removed: ({ id }) => {
        settling.scopeEnded(id);
        return lists.discard(id).catch((err: unknown) => log.error({ err }, 'a list is left over'));
      },
    },
    { ...system, owner: undefined },
  );
  wake.began = (id) => {
    const namespace = registry.byId(id);
    if (namespace === undefined) return;
    changeIma(namespace.ima, {});
    namespace.ima.violations.clear();
    namespace.record('list', { event: 'began' });
    registry.changedBy(namespace);
  };
  const sharing = new Sharing(registry, options.nsPolicy);
  const auditStatus = audit.status.bind(audit);
  const lifecycle = new Lifecycle({
    registry,
    lineage,
    walks,
    ids,
    appraise: options.appraise,
    nsPolicy: options.nsPolicy,
    openList: ({ id }) => lists.open(id),
    auditStatus,
    log,
  });
  const settings = new Settings({
    registry,
    canHash,
    changeTpm: ({ id }, tpm) => lists.changeTpm(id, tpm),
    machineHasTpm: () => settleTpmChoice('auto') !== 'none',
    log,
  });
  const policyReads = new PolicyReads(system.scope, POLICY_READ_MS, ({ tid }, path, limit) =>
    addon.readAsCaller(transport, tid, path, limit, POLICY_READ_MS, POLICY_FILE_XATTRS),
  );
  const measurements = new BufferMeasurements({ registry, audit });
  const keyrings = keyringsOf(keys, addon, { registry, measurements });
  const policyLoader = new PolicyLoader({
    readAsCaller: (caller, path, limit) => policyReads.read(caller, path, limit),
    checkFile: policyCheck({
      registry,
      audit,
      backing: { ...backing, fsUuid: facts.fsUuid, device: facts.device },
    }),
    changed: (namespace) => registry.changedBy(namespace),
    firstLoaded: (namespace, caller) => keyrings.measureQueued(namespace, caller),
    auditStatus,
    auditRule: audit.policyRule.bind(audit),
    machine: policyMachine,
  });
  if (options.policy.kind === 'text') policyLoader.startedCustom(registry.system);

  // The requests that need a decision.
  const fileSystem = {
    fsMagic: facts.fsMagic,
    fsName: backing.fsName,
    fsSubtype: backing.fsSubtype,
    fsUuid: facts.fsUuid,
  };
  const device = deviceOfMount(options.mountpoint);
  const paths = new Paths(options.mountpoint, device ?? '');
  const denials = new Denials(paths, log);
  const digests = new DigestCache();
  const lastWriterEnded = (node: number, left: LeftFile | undefined): void => {
    digests.forget([node]);
    for (const namespace of registry.known()) namespace.lastWriterEnded(node, left);
  };
  const writersEnded = (node: number, keepsResults: boolean): void => {
    digests.forget([node]);
    for (const namespace of registry.known()) namespace.writersEnded(node, keepsResults);
  };
  const settling = new Settling({
    addon,
    transport,
    pool,
    journal,
    ended: lastWriterEnded,
    writersEnded,
    log,
  });
  const shared = { registry, settling, audit, denials, paths };
  const attributes = new AttributesHandler({ registry, fileSystem });
  const open = new OpenHandler({
    ...shared,
    attributes,
    addon,
    transport,
    pool,
    digests,
    labelXattr: policyMachine.lsm && LABEL_XATTRS[policyMachine.lsm],
    fileSystem,
    sharing,
    mmapCheck: options.mmapCheck,
    firmware,
    leasesTell: facts.leases && facts.passthrough === 'rw',
  });
  const xattr = new XattrHandler({ ...shared, canHash });

  // The control tree.
  const labelRule = new LabelRule({
    registry,
    sharing,
    hashPool: pool,
    fileSystem,
    readIdMap,
    readXattr: (fd, name) => addon.getXattr(fd, name),
  });
  const labeller = new FileLabeller({
    addon,
    transport,
    hashPool: pool,
    refusal: (request) => labelRule.refusal(request),
    changed: ({ opened }) => {
      settling.vouched(opened.node, opened.file.ino);
      if (opened.node !== undefined) transport.voidNode(opened.node);
    },
  });
  const sources: StatusSources = {
    version,
    startedAt,
    options,
    facts: () => facts,
    counters: () => transport.counters(),
    audit: () => audit.health(),
    unsettled: () => [
      ...settling.paths().map((path) => ({ path, reason: 'writer' }) as const),
      ...journal.inherited().map((path) => ({ path, reason: 'crash' }) as const),
    ],
    namespaces: () => registry.activated(),
    measurements: (namespace) => measurementStatus(namespace, lists),
    lastPolicyFailure: (namespace) => policyLoader.lastFailure(namespace),
    lastKeyRefusal: (namespace) => keyrings.lastRefusal(namespace),
    unadmittedKeys: keys.unadmitted,
  };
  const controlTree = new ControlTree({
    log,
    controlName: options.controlName,
    nsPolicy: options.nsPolicy,
    addon,
    ids,
    transport,
    registry,
    lifecycle,
    settings,
    policyLoader,
    labeller,
    keyrings,
    bufferMeasurements: measurements,
    authorities: shownAuthorities(keys),
    listOf: ({ id, isActive }) => (isActive ? lists.of(id) : undefined),
    statusOf: (namespace) => statusReport(namespace, sources),
  });

  const stopTimers = (): void => {
    lifecycle.stop();
    settling.stop();
  };
  const ended = new Promise<string | undefined>((resolve) => {
    const dispatch = new Dispatch({
      transport,
      open,
      xattr,
      attributes,
      settling,
      digests,
      controlTree,
      namespaces: () => registry.known(),
      ended: resolve,
      log,
    });
    wake.call = dispatch.wake;
  }).finally(async () => {
    stopTimers();
    await close();
  });
  try {
    wake.call();
    settling.start();
    lifecycle.start();
    log.info({ facts, mountpoint: options.mountpoint }, 'mounted');
    addon.notifySupervisor('READY=1');
  } catch (error) {
    stopTimers();
    throw error;
  }
  const stop = async (): Promise<void> => {
    addon.notifySupervisor('STOPPING=1');
    // Where ours was detached, another mount may be there by now.
    if (deviceOfMount(options.mountpoint) === device) unmount(transport);
    else
      log.warn({ mountpoint: options.mountpoint }, 'not on top there: ends once it is unmounted');
    await ended;
  };
  return { ended, stop };
};

/** A mount that is in use leaves the tree at once and ends with its last user. */
const unmount = (transport: NativeTransport): void => {
  try {
    transport.unmount(false);
  } catch {
    try {
      transport.unmount(true);
    } catch {
      // It is unmounted already, and its end is on the way.
    }
  }
};

const closeAll = async (
  pool: HashPool,
  audit: AuditLog,
  journal: Journal,
  lists: Lists,
): Promise<void> => {
  await Promise.allSettled([pool.close(), audit.close(), lists.close()]);
  journal.close();
};

const once = (close: () => Promise<void>): (() => Promise<void>) => {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= close();
    return closing;
  };
};

const transportOptions = (options: DaemonOptions, anonymousId: number) => ({
  backing: options.backing,
  mountpoint: options.mountpoint,
  source: options.backing,
  mountFlags: options.mountFlags,
  passthrough: options.passthrough,
  virtualName: options.controlName,
  anonymousId,
  guardedXattrs: GUARDED_XATTRS,
});

const ownVersion = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};
