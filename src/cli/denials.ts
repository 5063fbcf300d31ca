import type { ControlClient } from './control-client.js';

/** A line of a `denials` file. */
export interface Denial {
  /** ISO 8601 */
  readonly time: string;
  /** Mount namespace whose policy refused. */
  readonly judge: number;
  readonly policyOf: 'own' | 'system' | 'lineage';
  /** Mount namespace of the caller. */
  readonly namespace: number;
  readonly operation: 'read' | 'write' | 'execute' | 'setxattr' | 'removexattr';
  readonly hook: string;
  readonly path: string;
  readonly pid: number;
  readonly comm: string;
  readonly rule?: { readonly at: string; readonly text: string };
  readonly cause: string;
  readonly digestFound?: string;
  readonly digestWanted?: string;
  readonly errno: string;
  readonly hint?: string;
  readonly command?: string;
}

/** Refusals of the given namespaces, oldest first, each once. */
export function readDenials(client: ControlClient, namespaces: readonly string[]): Denial[] {
  const lines = new Set(
    namespaces.flatMap((namespace) => client.read(`${namespace}/denials`).split('\n')),
  );
  lines.delete('');
  return [...lines]
    .map((line) => JSON.parse(line) as Denial)
    .sort((left, right) => left.time.localeCompare(right.time));
}

/** A refusal names what, which rule, the kernel's cause, and what to do next. */
export function denialText(denial: Denial): string {
  const { operation, path, comm, pid, namespace, rule, cause, hint } = denial;
  const whose = policyText(denial);
  const lines = [
    `denied: ${operation} of ${path} by ${comm}[${pid}] in namespace ${namespace} (${denial.errno})`,
    rule === undefined
      ? `  rule:  none (${whose})`
      : `  rule:  ${rule.text.trimEnd()}  (${rule.at}, ${whose})`,
    `  cause: ${cause} (${denial.hook}, ${denial.time})`,
  ];
  if (denial.digestFound !== undefined) lines.push(`  found: ${denial.digestFound}`);
  if (denial.digestWanted !== undefined) lines.push(`  label: ${denial.digestWanted}`);
  if (hint !== undefined) lines.push(`  hint:  ${hint}`);
  return lines.join('\n');
}

function policyText({ judge, policyOf }: Denial): string {
  switch (policyOf) {
    case 'system':
      return "the system's policy";
    case 'own':
      return `own policy of namespace ${judge}`;
    case 'lineage':
      return `policy of namespace ${judge}, which it comes from`;
    default:
      return policyOf satisfies never;
  }
}
