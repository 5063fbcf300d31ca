import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { errnoOf } from '../base/errno.js';
import type { Finding } from './doctor-checks.js';
import type { NamespaceStatus } from './mount-status.js';

const RESOURCE_MANAGER = '/dev/tpmrm0';

/** What tpm2-tss is loaded by, the kinds of connections by what they lead to. */
const LIBRARIES = ['libtss2-esys.so.0', 'libtss2-tctildr.so.0'] as const;
const CONNECTIONS = {
  swtpm: 'libtss2-tcti-swtpm.so.0',
  device: 'libtss2-tcti-device.so.0',
  tabrmd: 'libtss2-tcti-tabrmd.so.0',
} as const;

/** Where dynamic linkers look, apart from ld.so.conf; in each also MACHINE-linux-gnu. */
const LIBRARY_DIRECTORIES = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'] as const;

const SECURITYFS = '/sys/kernel/security';

/** What of a TPM this machine has. Nothing of it is needed for PCRs in software, tpm=none. */
export function tpmFindings(): Finding[] {
  return [device(), kernelIma(), libraries(), swtpm()];
}

function device(): Finding {
  const about = RESOURCE_MANAGER;
  try {
    accessSync(about, constants.R_OK | constants.W_OK);
    return { about, severity: 'ok', message: 'there: -o tpm=auto takes it' };
  } catch (error) {
    const code = errnoOf(error);
    return code === 'ENOENT'
      ? {
          about,
          severity: 'note',
          message: 'no TPM here: -o tpm=auto means PCRs in software',
          remedy: '-o tpm=swtpm starts a TPM in software; in a container: --device /dev/tpmrm0',
        }
      : {
          about,
          severity: 'problem',
          message: `cannot be used: ${code}`,
          remedy: 'run it as root; in a container: --device /dev/tpmrm0',
        };
  }
}

/** With the kernel's own list in PCR 10 of the same TPM, neither list would replay. */
function kernelIma(): Finding {
  const about = 'kernel IMA';
  if (!existsSync(SECURITYFS) || readdirSync(SECURITYFS).length === 0) {
    return {
      about,
      severity: 'note',
      message: 'securityfs is not mounted: whether the kernel has a list cannot be seen',
      remedy: `mount -t securityfs securityfs ${SECURITYFS}`,
    };
  }
  const count = kernelCount();
  if (count === 0) return { about, severity: 'ok', message: 'not active: PCR 10 is free' };
  const message = `active, ${count} entries in its list: PCR 10 of this machine's TPM is taken`;
  return existsSync(RESOURCE_MANAGER)
    ? { about, severity: 'note', message, remedy: 'with a device as TPM: -o pcr=11' }
    : { about, severity: 'ok', message };
}

function kernelCount(): number {
  const path = ['ima', 'integrity/ima']
    .map((directory) => join(SECURITYFS, directory, 'runtime_measurements_count'))
    .find((candidate) => existsSync(candidate));
  return path === undefined ? 0 : Number(readFileSync(path, 'utf8'));
}

function libraries(): Finding {
  const about = 'tpm2-tss';
  const missing = LIBRARIES.filter((name) => !hasLibrary(name));
  const remedy = 'Debian: apt install tpm2-tools brings them';
  if (missing.length > 0) {
    const message = `without ${missing.join(', ')}: no TPM can be used`;
    return { about, severity: 'note', message, remedy };
  }
  const connections = Object.entries(CONNECTIONS);
  const there = connections.filter(([, name]) => hasLibrary(name)).map(([kind]) => kind);
  return there.length > 0
    ? { about, severity: 'ok', message: `there, for ${there.join(', ')}` }
    : {
        about,
        severity: 'note',
        message: 'without any libtss2-tcti-*: no TPM can be used',
        remedy,
      };
}

function hasLibrary(name: string): boolean {
  const listed = (process.env['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter((it) => it !== '');
  return [...listed, ...LIBRARY_DIRECTORIES.flatMap(withMachines)].some((directory) =>
    existsSync(join(directory, name)),
  );
}

function withMachines(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const machines = readdirSync(directory).filter((name) => /-linux-(gnu|musl)/.test(name));
  return [directory, ...machines.map((machine) => join(directory, machine))];
}

function swtpm(): Finding {
  const about = 'swtpm';
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'swtpm'))
    .find((path) => existsSync(path));
  return found === undefined
    ? {
        about,
        severity: 'note',
        message: 'not installed: tpm=swtpm cannot start one',
        remedy: 'Debian: apt install swtpm',
      }
    : { about, severity: 'ok', message: found };
}

/** How the list of a namespace and its PCRs stand to one another; none if it has no list. */
export function listFindings(mountpoint: string, status: NamespaceStatus): Finding[] {
  const { namespace, measurements } = status;
  if (measurements === undefined) return [];
  const { count, extended, state, tpm, problem } = measurements;
  const about = `list of namespace ${namespace} at ${mountpoint}`;
  if (problem !== undefined) {
    const remedy = `imafs log verify --ns ${namespace} ${mountpoint}; then mend TPM '${tpm}'`;
    return [{ about, severity: 'problem', message: `${problem} (${state}, TPM '${tpm}')`, remedy }];
  }
  const missing = count - extended;
  return missing > 0
    ? [
        {
          about,
          severity: 'note',
          message: `${missing} of ${count} entries are not in the PCR yet`,
        },
      ]
    : [{ about, severity: 'ok', message: `${count} entries, ${state} with TPM '${tpm}'` }];
}
