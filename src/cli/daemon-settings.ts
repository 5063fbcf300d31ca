import { resolve } from 'node:path';

import { type DaemonOptions, defaultStateDirectory, type StartPolicy } from '../daemon-options.js';
import { hashAlgorithmByName, hashAlgorithms } from '../ima/digest/hash-algorithms.js';
import { builtinPolicy, isBuiltinPolicy } from '../ima/policy/builtin.js';
import { nearestWord } from '../ima/policy/nearest-word.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { templateByFormat, templateByName } from '../ima/template/template.js';
import { EXIT } from './exit-codes.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import type { MountOptions } from './mount-options.js';
import type { MountPlaces } from './mount-places.js';
import { demandPolicyFile } from './policy-text.js';
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
  const keysDirectory = given.get('keys');
  return {
    ...places,
    policy: startPolicy(given.get('policy')),
    appraise: oneOf(ima_appraise.values, given.get('ima_appraise'), ima_appraise.default),
    imaHash: algorithm(given.get('ima_hash') ?? MOUNT_OPTIONS.ima_hash.default),
    nsPolicy: oneOf(ns_policy.values, given.get('ns_policy'), ns_policy.default),
    nsMeasure: oneOf(ns_measure.values, given.get('ns_measure'), ns_measure.default),
    imaTemplate: template(given),
    pcr: pcr(given.get('pcr') ?? MOUNT_OPTIONS.pcr.default),
    tpm: given.get('tpm') ?? MOUNT_OPTIONS.tpm.default,
    tpmRequired: given.has('tpm_required'),
    systemNs: systemNs === undefined || systemNs === 'self' ? systemNs : resolve(systemNs),
    mmapCheck: oneOf(mmap_check.values, given.get('mmap_check'), mmap_check.default),
    auditFile: auditFile === undefined ? undefined : resolve(auditFile),
    keysDirectory: keysDirectory === undefined ? undefined : resolve(keysDirectory),
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
  const { text } = demandPolicyFile(value);
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

/** ima_template_fmt= counts if both are given, as by the kernel if it comes last. */
function template(given: MountOptions['given']): DaemonOptions['imaTemplate'] {
  const format = given.get('ima_template_fmt');
  const name = given.get('ima_template') ?? MOUNT_OPTIONS.ima_template.default;
  if (format === undefined && name === 'ima') {
    const hash = given.get('ima_hash') ?? MOUNT_OPTIONS.ima_hash.default;
    if (hash !== 'sha1' && hash !== 'md5') {
      throw badOption(`ima_template=ima has no room for ${hash}`, ['add ima_hash=sha1']);
    }
  }
  const found = format === undefined ? templateByName(name) : undefined;
  if (found !== undefined) return found;
  const byFormat = templateByFormat(format ?? name);
  if (!byFormat.ok) throw badOption(byFormat.problem, []);
  return byFormat.value;
}

/** Below 8 are those of the firmware, from 24 on TPMs have none. */
function pcr(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= 8 && number <= 23) return number;
  throw badOption(`pcr=${text} is no PCR for measurements`, ['one of 8 to 23; the usual is 10']);
}

function badOption(message: string, hints: readonly string[]): UserError {
  return new UserError(EXIT.usage, 'bad-mount-option', message, hints);
}

function controlName(name: string): string {
  if (name === '.' || name === '..' || name.includes('/') || Buffer.byteLength(name) > 255) {
    throw new UserError(EXIT.usage, 'bad-mount-option', `control=${name} is not a file name`);
  }
  return name;
}
