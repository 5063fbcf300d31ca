import type { MountLine } from '../base/mountinfo.js';
import type { Invocation } from './command.js';
import { absolutePath, connect } from './control-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type MountStatus, readStatus, type Status } from './mount-status.js';
import { imafsMounts, isDead } from './mount-table.js';
import { namespaceTable } from './namespace-table.js';
import type { JsonValue, Output } from './output.js';
import { UserError } from './user-error.js';

/** `imafs status`: one mount, or all that this process sees. */
export function status({ operands, options, output }: Invocation): ExitCode {
  const control = options.text('control');
  const [path] = operands;
  if (path !== undefined) {
    const client = connect(absolutePath(path), control);
    showServed(output, client.mount, readStatus(client));
    return EXIT.ok;
  }
  const mounts = imafsMounts();
  if (mounts.length === 0) output.note('imafs: nothing is mounted');
  let exit: ExitCode = EXIT.ok;
  for (const mount of mounts) {
    if (isDead(mount.mountpoint)) {
      showDead(output, mount);
      exit = EXIT.problems;
      continue;
    }
    try {
      showServed(output, mount, readStatus(connect(mount.mountpoint, control)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      output.note(`imafs: ${mount.mountpoint}: ${error.message}`);
      exit = EXIT.problems;
    }
  }
  return exit;
}

function showDead(output: Output, { mountpoint, source }: MountLine): void {
  output.result(
    'mount',
    { mountpoint, backing: source, daemon: 'dead' },
    `${output.style('bold', mountpoint)}  ${output.style('red', 'daemon is gone')}\n` +
      `  next: imafs umount ${mountpoint}`,
  );
}

function showServed(output: Output, { mountpoint, source }: MountLine, report: Status): void {
  const { mount } = report;
  const lines = [`${output.style('bold', mountpoint)}  backing ${source}, ${serving(report)}`];
  if (mount !== undefined) lines.push(...mountLines(mount), ...unsettledLines(mount));
  lines.push(...namespaceTable(mount?.namespaces ?? [report]).map((line) => `  ${line}`));
  if (report.lastPolicyFailure !== undefined) {
    const { source: from, line, column, message } = report.lastPolicyFailure;
    lines.push(`  last policy refused: ${from}:${line}:${column}: ${message}`);
  }
  output.result(
    'mount',
    // The daemon's JSON, passed on as it is.
    { mountpoint, backing: source, daemon: 'running', status: report as unknown as JsonValue },
    lines.join('\n'),
  );
}

function serving({ version, mount }: Status): string {
  const daemon = mount === undefined ? '' : ` by pid ${mount.pid} since ${mount.startedAt}`;
  return `served${daemon} (imafs ${version})`;
}

function mountLines({ appraise, nsPolicy, transport, counters }: MountStatus): string[] {
  const { protocolMinor, passthrough, leases } = transport;
  const share = counters.opens === 0 ? 0 : Math.round((100 * counters.remembered) / counters.opens);
  return [
    `  ima_appraise=${appraise} ns_policy=${nsPolicy} passthrough=${passthrough}` +
      ` protocol=7.${protocolMinor} leases=${leases ? 'yes' : 'no'}`,
    `  opens ${counters.opens}, ${share}% remembered; requests ${counters.requests},` +
      ` upcalls ${counters.upcalls}, files known ${counters.nodes}`,
  ];
}

function unsettledLines({ unsettled }: MountStatus): string[] {
  return unsettled.map(({ path, reason }) =>
    reason === 'writer'
      ? `  unsettled: ${path} is open for writing`
      : `  unsettled since a crash: ${path} (check it, then: imafs label hash)`,
  );
}
