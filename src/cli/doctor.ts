import type { Invocation } from './command.js';
import { type Finding, machineFindings, type Severity } from './doctor-checks.js';
import { cleanMounts, mountFindings } from './doctor-mounts.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Style } from './output.js';

const STYLES: Readonly<Record<Severity, Style>> = {
  ok: 'green',
  note: 'dim',
  problem: 'yellow',
  missing: 'red',
};

/** `imafs doctor`: what this machine lacks and what is wrong with its mounts. */
export async function doctor({ options, output }: Invocation): Promise<ExitCode> {
  const findings = [
    ...machineFindings(),
    ...(options.flag('clean') ? await cleanMounts() : []),
    ...(await mountFindings(options.text('control'))),
  ];
  for (const { about, severity, message, remedy } of findings) {
    const word = output.style(STYLES[severity], severity.padEnd(7));
    const next = remedy === undefined ? '' : `\n         next: ${remedy}`;
    output.result(
      'finding',
      { about, severity, message, remedy },
      `${word}  ${about}: ${message}${next}`,
    );
  }
  return exitCode(findings);
}

function exitCode(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ severity }) => severity === 'missing')) return EXIT.missing;
  return findings.some(({ severity }) => severity === 'problem') ? EXIT.problems : EXIT.ok;
}
