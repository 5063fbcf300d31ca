import type { NamespaceStatus } from './mount-status.js';

/** A table of namespaces for the terminal, one line each below a line of titles. */
export function namespaceTable(namespaces: readonly NamespaceStatus[]): string[] {
  const rows = namespaces.map(({ namespace, system, active, mode, policy, counters }) => [
    String(namespace),
    system ? 'system' : active ? 'active' : 'not active',
    mode,
    String(policy.rules),
    String(counters.opens),
    String(counters.denied),
  ]);
  return table([['NAMESPACE', 'STATE', 'MODE', 'RULES', 'JUDGED', 'DENIED'], ...rows]);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
