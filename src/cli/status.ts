import type { MountLine } from '../base/mountinfo.js';
import type { Invocation } from './command.js';
import { demandAnswers } from './connect.js';
import { mountsOf } from './control-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { NO_ANSWER, statusOf } from './mount-answer.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import { type MountProbe, probeMount } from './mount-probe.js';
import type { MountStatus, Status } from './mount-status.js';
import { imafsMounts } from './mount-table.js';
import { namespaceTable } from './namespace-table.js';
import type { JsonValue, Output } from './output.js';
import { UserError } from './user-error.js';

/** `imafs status`: one mount, or all that this process sees. */
export async function status({ operands, options, output }: Invocation): Promise<ExitCode> {
  const control = options.text('control') ?? MOUNT_OPTIONS.control.default;
  const [path] = operands;
  if (path !== undefined) {
    await demandAnswers(path, control);
    const { whole } = mountsOf(path);
    showServed(output, whole, statusOf(whole, await probeMount(whole, control), control));
    return EXIT.ok;
  }
  const mounts = imafsMounts();
  if (mounts.length === 0) output.note('imafs: nothing is mounted');
  const probes = await Promise.all(mounts.map((mount) => probeMount(mount, control)));
  const areServed = mounts.map((mount, index) => show(output, mount, probes[index], control));
  return areServed.includes(false) ? EXIT.problems : EXIT.ok;
}

/** False if there is no status to show. */
function show(
  output: Output,
  mount: MountLine,
  probe: MountProbe = { state: 'unreachable' },
  control: string,
): boolean {
  const { mountpoint } = mount;
  switch (probe.state) {
    case 'dead':
      showUnserved(output, mount, 'dead', 'daemon is gone');
      return false;
    case 'silent':
      showUnserved(output, mount, 'silent', `daemon ${NO_ANSWER}`);
      return false;
    case 'unreachable':
    case 'served':
      try {
        showServed(output, mount, statusOf(mount, probe, control));
        return true;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        output.note(`imafs: ${mountpoint}: ${error.message}`);
        return false;
      }
  }
}

function showUnserved(
  output: Output,
  { mountpoint, source }: MountLine,
  daemon: 'dead' | 'silent',
  what: string,
): void {
  output.result(
    'mount',
    { mountpoint, backing: source, daemon },
    `${output.style('bold', mountpoint)}  ${output.style('red', what)}\n` +
      `  next: imafs umount ${mountpoint}`,
  );
}

function showServed(output: Output, { mountpoint, source }: MountLine, report: Status): void {
  const { mount } = report;
  const lines = [`${output.style('bold', mountpoint)}  backing ${source}, ${serving(report)}`];
  if (mount !== undefined)
    lines.push(...mountLines(mount), ...unsettledLines(mount), ...keyLines(mount));
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

function keyLines({ unadmittedKeys }: MountStatus): string[] {
  return unadmittedKeys.map(
    ({ file, reasons }) => `  not admitted: ${file}: ${reasons.join('; ')}`,
  );
}
