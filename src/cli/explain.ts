import { closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';

import { errnoOf } from '../base/errno.js';
import { parsePolicy } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import { showRule } from '../ima/policy/show-rule.js';
import { absolutePath } from './absolute-path.js';
import type { Invocation } from './command.js';
import { connect } from './connect.js';
import type { ControlClient } from './control-client.js';
import { type Denial, denialText, readDenials } from './denials.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { backingFacts } from './file-system-facts.js';
import { type MatchingRule, matchingRules } from './matching-rules.js';
import { readStatus, type Status } from './mount-status.js';
import type { JsonValue } from './output.js';
import { policyMachine } from './policy-machine.js';
import { UserError } from './user-error.js';

const HEAD_BYTES = 4096;

/**
 * `imafs explain`: opens the file for reading and tells what the daemon says, which refusals of it
 * stand, and (to the system's root) which rules decide. A refusal stands until the file changes.
 */
export async function explain({ operands, options, output }: Invocation): Promise<ExitCode> {
  const [operand = ''] = operands;
  const client = await connect(operand, options.text('control'));
  const path = absolutePath(operand);
  const report = readStatus(client);
  const stat = statSync(path);
  if (!stat.isFile()) {
    throw new UserError(
      EXIT.usage,
      'not-a-file',
      `${path} is no regular file: none is judged but these`,
    );
  }
  const attempt = tryToRead(path);
  const denials = standingDenials(client, report, path, stat, attempt.errno);
  const rules = decidingRules(client, report, path, stat, attempt.head);
  const readable = attempt.errno === undefined ? 'allowed' : `refused (${attempt.errno})`;
  output.result(
    'explanation',
    {
      path,
      namespace: report.namespace,
      mode: report.mode,
      read: attempt.errno ?? 'allowed',
      denials: denials as unknown as JsonValue,
      rules: rules.map(({ access, hook, rule }) => ({
        access,
        hook,
        rule: showRule(rule).trimEnd(),
        line: rule.line,
      })),
    },
    [
      `${path}: reading is ${readable} in namespace ${report.namespace} (mode ${report.mode})`,
      ...rules.map(ruleText),
      ...denials.map(denialText),
    ].join('\n'),
  );
  return denials.length === 0 && attempt.errno === undefined ? EXIT.ok : EXIT.denied;
}

/** The first bytes if it may be read, or the errno of the refusal. */
function tryToRead(path: string): { head: Buffer; errno?: string } {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      return { head: head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0)) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return { head: Buffer.alloc(0), errno: errnoOf(error) ?? String(error) };
  }
}

/** The latest refusal of each operation in each namespace that nothing has changed since. */
function standingDenials(
  client: ControlClient,
  report: Status,
  path: string,
  stat: Stats,
  readErrno: string | undefined,
): Denial[] {
  const below = client.pathBelow(path);
  const namespaces = report.mount?.namespaces.map(({ namespace }) => String(namespace)) ?? ['self'];
  const latest = new Map<string, Denial>();
  for (const denial of readDenials(client, namespaces)) {
    const isThis = denial.path === path || denial.path.endsWith(below);
    const isOutdated = Date.parse(denial.time) < stat.ctimeMs;
    const isAllowedNow =
      denial.namespace === report.namespace &&
      denial.operation === 'read' &&
      readErrno === undefined;
    if (!isThis || isOutdated || isAllowedNow) continue;
    latest.set(`${denial.namespace} ${denial.judge} ${denial.operation}`, denial);
  }
  return [...latest.values()];
}

/** Only the system's root is told all that conditions look at. */
function decidingRules(
  client: ControlClient,
  report: Status,
  path: string,
  stat: Stats,
  head: Buffer,
): MatchingRule[] {
  if (report.mount === undefined) return [];
  const parsed = parsePolicy(client.read('self/policy'), 'policy', policyMachine());
  if (!parsed.ok) return [];
  const { uid, gid } = stat;
  const object = { uid, gid, ...backingFacts(report.mount) };
  return matchingRules(new Policy(parsed.value), object, {
    name: basename(path),
    head,
    isExecutable: (stat.mode & 0o111) !== 0,
  });
}

function ruleText({ access, hook, rule }: MatchingRule): string {
  return `  ${access} ${hook}: ${showRule(rule).trimEnd()}  (line ${rule.line})`;
}
