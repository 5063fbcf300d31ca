import { resolve } from 'node:path';

import { type DaemonOptions, defaultStateDirectory, type StartPolicy } from '../daemon-options.js';
import { hashAlgorithmByName, hashAlgorithms } from '../ima/digest/hash-algorithms.js';
import { builtinPolicy, isBuiltinPolicy } from '../ima/policy/builtin.js';
import { nearestWord } from '../ima/policy/nearest-word.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { EXIT } from './exit-codes.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import type { MountOptions } from './mount-options.js';
import type { MountPlaces } from './mount-places.js';
import { demandValidPolicy, readPolicyFile } from './policy-text.js';
import { UserError } from './user-error.js';

/** Turns checked mount options into what the daemon is started with; defaults are filled in here. */
export function daemonSettings(
  places: MountPlaces,
  { given, mountFlags }: MountOptions,
  logLevel: DaemonOptions['logLevel'],
): DaemonOptions {
  const { ima_appraise, ns_policy, ns_measure, mmap_check, passthrough, control } = MOUNT_OPTIONS;
  const systemNs = given.get('system_ns');
  const auditFile = given.get('audit');
  return {
    ...places,
    policy: startPolicy(given.get('policy')),
    appraise: oneOf(ima_appraise.values, given.get('ima_appraise'), ima_appraise.default),
    imaHash: algorithm(given.get('ima_hash') ?? MOUNT_OPTIONS.ima_hash.default),
    nsPolicy: oneOf(ns_policy.values, given.get('ns_policy'), ns_policy.default),
    nsMeasure: oneOf(ns_measure.values, given.get('ns_measure'), ns_measure.default),
    systemNs: systemNs === undefined || systemNs === 'self' ? systemNs : resolve(systemNs),
    mmapCheck: oneOf(mmap_check.values, given.get('mmap_check'), mmap_check.default),
    auditFile: auditFile === undefined ? undefined : resolve(auditFile),
    stateDirectory: stateDirectory(places, { given, mountFlags }),
    controlName: controlName(given.get('control') ?? control.default),
    passthrough: oneOf(passthrough.values, given.get('passthrough'), passthrough.default),
    mountFlags,
    logLevel,
  };
}

export function stateDirectory({ mountpoint }: MountPlaces, { given }: MountOptions): string {
  return resolve(given.get('state') ?? defaultStateDirectory(mountpoint));
}

function oneOf<Value extends string>(
  values: readonly Value[],
  value: string | undefined,
  otherwise: Value,
): Value {
  return values.find((candidate) => candidate === value) ?? otherwise;
}

/** Names of built-in policies, or else a file; either is checked here, so that the user sees why. */
function startPolicy(value: string | undefined): StartPolicy {
  if (value === undefined) return { kind: 'none' };
  if (isBuiltinPolicy(value)) {
    const rules = builtinPolicy(value);
    if (rules.ok) return { kind: 'builtin', names: value };
    throw new UserError(EXIT.badPolicy, 'policy-invalid', rules.problem);
  }
  const text = readPolicyFile(value);
  demandValidPolicy(text, value);
  return { kind: 'text', source: value, text };
}

/** Which of the kernel's algorithms can be computed is for the daemon to say. */
function algorithm(name: string): HashAlgorithm {
  if (hashAlgorithmByName(name) !== undefined) return name;
  const nearest = nearestWord(
    name,
    hashAlgorithms.map((known) => known.name),
  );
  throw new UserError(
    EXIT.usage,
    'bad-mount-option',
    `ima_hash=${name} is no hash algorithm`,
    nearest === undefined ? [] : [`did you mean '${nearest}'?`],
  );
}

function controlName(name: string): string {
  if (name === '.' || name === '..' || name.includes('/') || Buffer.byteLength(name) > 255) {
    throw new UserError(EXIT.usage, 'bad-mount-option', `control=${name} is not a file name`);
  }
  return name;
}
