/**
 * What the test understands of docker/compose.yaml. A key it does not know fails, so that nothing of the
 * file is left out unseen.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

import { PROJECT } from '../helpers/project.js';

export interface ServiceMount {
  /** Absolute path on the machine, path relative to docker/, or name of a volume. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation: 'rprivate' | 'rshared' | 'rslave';
}

export interface Service {
  readonly image: string;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: 'own' | 'host';
  /** Names with CAP_; all others are dropped. */
  readonly capabilities: readonly string[];
  readonly devices: readonly string[];
  readonly mounts: readonly ServiceMount[];
  readonly healthcheck: readonly string[] | undefined;
  readonly dependsOn: ReadonlyMap<string, string>;
}

const KEYS = new Set([
  'image',
  'entrypoint',
  'command',
  'environment',
  'pid',
  'network_mode',
  'cap_add',
  'cap_drop',
  'devices',
  'volumes',
  'healthcheck',
  'depends_on',
  // Images are made otherwise here, machines with crun only have no AppArmor profile of Docker's, and
  // whoever stops a container here waits as long as it takes.
  'build',
  'security_opt',
  'stop_grace_period',
]);

type RawMount = string | { source: string; target: string; bind: { propagation: 'rshared' } };

interface RawService {
  readonly image: string;
  readonly entrypoint?: string[];
  readonly command?: string[];
  readonly environment?: Record<string, string>;
  readonly pid?: 'host';
  readonly network_mode: string;
  readonly cap_add?: string[];
  readonly cap_drop: string[];
  readonly devices?: string[];
  readonly volumes?: RawMount[];
  readonly healthcheck?: { test?: string[] };
  readonly depends_on?: Record<string, { condition: string }>;
}

/** The services of docker/compose.yaml, in its order. */
export function composeServices(): ReadonlyMap<string, Service> {
  const text = readFileSync(`${PROJECT}docker/compose.yaml`, 'utf8');
  const { services } = parse(text, { merge: true }) as { services: Record<string, RawService> };
  return new Map(Object.entries(services).map(([name, raw]) => [name, readService(name, raw)]));
}

function readService(name: string, raw: RawService): Service {
  const unknown = Object.keys(raw).filter((key) => !KEYS.has(key));
  assert.deepEqual(unknown, [], `compose.yaml: ${name} has keys that this test does not obey`);
  assert.deepEqual(raw.cap_drop, ['ALL'], `compose.yaml: ${name} keeps capabilities of Docker's`);
  assert.equal(raw.network_mode, 'none', `compose.yaml: ${name} has a network`);
  const [kind, ...test] = raw.healthcheck?.test ?? ['CMD'];
  assert.equal(kind, 'CMD');
  return {
    image: raw.image,
    entrypoint: raw.entrypoint,
    command: raw.command ?? [],
    environment: raw.environment ?? {},
    pid: raw.pid ?? 'own',
    capabilities: (raw.cap_add ?? []).map((capability) => `CAP_${capability}`),
    devices: raw.devices ?? [],
    mounts: (raw.volumes ?? []).map(readMount),
    healthcheck: test.length === 0 ? undefined : test,
    dependsOn: new Map(
      Object.entries(raw.depends_on ?? {}).map(([other, { condition }]) => [other, condition]),
    ),
  };
}

function readMount(raw: RawMount): ServiceMount {
  if (typeof raw !== 'string') {
    const { source, target, bind } = raw;
    return { source, target, readOnly: false, propagation: bind.propagation };
  }
  const [source = '', target = '', mode] = raw.split(':');
  return { source, target, readOnly: mode === 'ro', propagation: 'rprivate' };
}
