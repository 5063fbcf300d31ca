import { readlinkSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import type { Invocation } from './command.js';
import { connect } from './connect.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { readStatus } from './mount-status.js';
import { namespaceTable } from './namespace-table.js';
import type { JsonValue } from './output.js';
import { UserError } from './user-error.js';

/** nsfs numbers begin here (PROC_DYNAMIC_FIRST, include/linux/proc_ns.h); process ids end far below. */
const FIRST_NAMESPACE = 0xf000_0000;

/** `imafs ns ls`: the activated namespaces of a mount. */
export async function nsLs({ operands, options, output }: Invocation): Promise<ExitCode> {
  const client = await connect(operands[0] ?? '', options.text('control'));
  const names = client
    .read('namespaces')
    .split('\n')
    .filter((line) => line !== '');
  const reports = names.map((name) => readStatus(client, name));
  if (!output.json) {
    output.result('table', {}, namespaceTable(reports).join('\n'));
    return EXIT.ok;
  }
  for (const report of reports) {
    output.result('namespace', { status: report as unknown as JsonValue }, undefined);
  }
  return EXIT.ok;
}

/** `imafs ns add`: gives a mount namespace an IMA of its own. */
export async function nsAdd({ operands, options, output }: Invocation): Promise<ExitCode> {
  const [mountpoint = '', target = ''] = operands;
  const client = await connect(mountpoint, options.text('control'));
  const namespace = namespaceNumber(target);
  client.writeLines('namespaces', [String(namespace)], (code) =>
    code === 'ENOENT' || code === 'EINVAL'
      ? new UserError(EXIT.runtime, 'no-namespace', refusal(namespace, code), [
          'readlink /proc/PID/ns/mnt shows the number of a process',
        ])
      : undefined,
  );
  output.result('activated', { mountpoint: client.mount.mountpoint, namespace }, `${namespace}`);
  return EXIT.ok;
}

function refusal(namespace: number, code: string): string {
  return code === 'ENOENT'
    ? `no process runs in mount namespace ${namespace}`
    : `mount namespace ${namespace} cannot be activated: it is the system's own, or the mount has` +
        ' no ima_appraise=enforce_ns';
}

/** Takes a namespace number, or the id of a process in it. */
function namespaceNumber(target: string): number {
  const number = /^\d{1,10}$/.test(target) ? Number(target) : Number.NaN;
  if (number >= FIRST_NAMESPACE) return number;
  if (Number.isNaN(number)) {
    throw new UserError(EXIT.usage, 'bad-operands', `'${target}' is no namespace and no process`);
  }
  try {
    return Number(/\d+/.exec(readlinkSync(`/proc/${number}/ns/mnt`))?.[0]);
  } catch (error) {
    throw new UserError(
      EXIT.runtime,
      'no-process',
      `the mount namespace of process ${number} cannot be read: ${errnoOf(error)}`,
    );
  }
}
