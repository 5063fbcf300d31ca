import { closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { showRule } from '../ima/policy/show-rule.js';
import { absolutePath } from './absolute-path.js';
import type { Invocation } from './command.js';
import { connect } from './connect.js';
import type { ControlClient } from './control-client.js';
import { type DecidingRule, decidingRules } from './deciding-rules.js';
import { type Denial, denialText, readDenials } from './denials.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { labelFacts, labelText } from './label-facts.js';
import { mendedDenial } from './mended-denial.js';
import { readStatus, type Status } from './mount-status.js';
import type { JsonValue } from './output.js';
import { UserError } from './user-error.js';

const HEAD_BYTES = 4096;

/**
 * `imafs explain`: opens the file for reading and tells what the daemon says, which refusals of it
 * stand and what mends them, and (to the system's root) which rules decide. A refusal stands until the file changes.
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
  const label = labelFacts(path);
  const control = options.text('control');
  const namespace = namespaceOf(report, options.text('ns'));
  const denials = standingDenials(client, report, path, stat, attempt.errno).map((denial) =>
    mendedDenial(client, denial, label, report.namespace, control),
  );
  const rules = decidingRules(client, report, namespace, { path, stat, head: attempt.head });
  const readable = attempt.errno === undefined ? 'allowed' : `refused (${attempt.errno})`;
  output.result(
    'explanation',
    {
      path,
      namespace: report.namespace,
      mode: report.mode,
      read: attempt.errno ?? 'allowed',
      label: { ...label },
      denials: denials as unknown as JsonValue,
      rules: rules.map(({ access, hook, rule, namespace: of, policyOf }) => ({
        access,
        hook,
        rule: showRule(rule).trimEnd(),
        line: rule.line,
        namespace: of,
        policyOf,
      })),
    },
    [
      `${path}: reading is ${readable} in namespace ${report.namespace} (mode ${report.mode})`,
      `  security.ima: ${labelText(label)}`,
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

function namespaceOf(report: Status, given: string | undefined): number {
  if (given === undefined) return report.namespace;
  if (report.mount !== undefined && /^\d{1,10}$/.test(given)) return Number(given);
  throw new UserError(EXIT.usage, 'bad-option', `--ns ${given} cannot be explained`, [
    "only root of the system's namespace explains others, by their numbers",
  ]);
}

function ruleText({ access, hook, rule, namespace, policyOf }: DecidingRule): string {
  const whose = policyOf === 'system' ? "the system's" : `namespace ${namespace}'s`;
  return `  ${access} ${hook}: ${showRule(rule).trimEnd()}  (line ${rule.line} of ${whose} policy)`;
}
