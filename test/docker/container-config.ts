/**
 * The OCI configuration of a service: what Docker would hand to its runtime, but without rlimits, OOM score
 * and cgroups, which root may not set on every machine, and without a seccomp filter.
 */
import { statSync } from 'node:fs';

import type { Service, ServiceMount } from './compose-file.js';
import type { Image } from './image.js';

/** Where the machine's paths and the volumes of the compose file are found in this test. */
export type FindSource = (source: string) => string;

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function containerConfig(service: Service, image: Image, find: FindSource): object {
  const environment = { PATH, ...image.environment, ...service.environment };
  const { capabilities } = service;
  const isShared = service.mounts.some(({ propagation }) => propagation === 'rshared');
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: [...(service.entrypoint ?? image.entrypoint), ...service.command],
      env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    root: { path: image.root },
    mounts: [...systemMounts(image), ...service.mounts.map((mount) => bind(mount, find))],
    linux: {
      namespaces: ['mount', 'ipc', 'uts', 'network', ...(service.pid === 'own' ? ['pid'] : [])].map(
        (type) => ({ type }),
      ),
      // As Docker does: a mount made in the container leaves it only if its root lets it.
      rootfsPropagation: isShared ? 'rshared' : 'rslave',
      devices: service.devices.map(device),
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

function systemMounts({ shown }: Image): object[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'nodev', 'ro'] },
    ...shown.map(([source, target]) => bound(source, target, ['rbind', 'ro', 'rprivate'])),
  ];
}

function bind({ source, target, readOnly, propagation }: ServiceMount, find: FindSource): object {
  return bound(find(source), target, ['rbind', readOnly ? 'ro' : 'rw', propagation]);
}

function bound(source: string, destination: string, options: readonly string[]): object {
  return { destination, type: 'bind', source, options };
}

function device(path: string): object {
  const { rdev } = statSync(path);
  // The 8:8 form of device numbers, which that of /dev/fuse has.
  return { path, type: 'c', major: rdev >> 8, minor: rdev & 0xff, fileMode: 0o666, uid: 0, gid: 0 };
}
