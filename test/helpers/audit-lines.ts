/** Audit records as the tests read them back from audit=FILE. */

export interface AuditLine {
  readonly type: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly text: string;
}

/** `type=1800 audit(…): key=value key="value" …`; what is not in that form fails. */
export function parseAuditLine(text: string): AuditLine {
  const head = /^type=(\d+) audit\(\d+\.\d{3}:\d+\): (.*)$/.exec(text);
  if (head === null) throw new Error(`no audit record: ${text}`);
  const pairs = [...(head[2] ?? '').matchAll(/(\S+?)=("[^"]*"|\S*)/g)];
  const fields = pairs.map(([, key = '', value = '']) => [key, value.replace(/^"(.*)"$/, '$1')]);
  return {
    type: Number(head[1]),
    fields: Object.fromEntries(fields) as Record<string, string>,
    text,
  };
}

/** Causes of the refusals (type 1800) of one file, oldest first; some records have no path of it. */
export function causesOf(lines: readonly string[], name: string): string[] {
  return lines
    .map(parseAuditLine)
    .filter(({ type }) => type === 1800)
    .filter(({ fields }) => `/${fields['name']}`.endsWith(`/${name}`))
    .map(({ fields }) => fields['cause'] ?? '');
}
