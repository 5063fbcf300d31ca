import { closeSync, openSync, readSync, statSync } from 'node:fs';

import { errnoOf } from '../base/errno.js';
import { failure, type Result, success } from '../base/result.js';
import { builtinPolicy, isBuiltinPolicy } from '../ima/policy/builtin.js';
import { decodePolicy } from '../ima/policy/decode-policy.js';
import { type PolicyProblem, parsePolicy } from '../ima/policy/parse-policy.js';
import { Policy } from '../ima/policy/policy.js';
import { demandAnswers } from './connect.js';
import { EXIT } from './exit-codes.js';
import { policyMachine } from './policy-machine.js';
import { printable } from './printable.js';
import { UserError } from './user-error.js';

/** How many problems a message shows; `policy check` shows all. */
const SHOWN = 5;
/** More is no policy; one of the longest there is has a few hundred kilobytes. */
const MOST_BYTES = 32 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const STDIN = '-';

/** A policy that a verb was given, valid or not. */
export interface GivenPolicy {
  /** As messages name it. */
  readonly source: string;
  readonly isBuiltin: boolean;
  /** As it was written; of a built-in policy its rules as the kernel shows them. */
  readonly text: string;
  readonly policy: Result<Policy, readonly PolicyProblem[]>;
}

/** A policy that can be used. */
export interface ValidPolicy {
  readonly text: string;
  readonly policy: Policy;
}

/** A file, `-` for standard input, or names of built-in policies where no file has that name. */
export async function readPolicy(operand: string): Promise<GivenPolicy> {
  if (operand === STDIN) return parsedPolicy('standard input', readAll(0, 'standard input'));
  await demandAnswers(operand);
  if (isBuiltinPolicy(operand) && !exists(operand)) {
    const built = builtinPolicy(operand);
    if (!built.ok) throw new UserError(EXIT.badPolicy, 'policy-invalid', built.problem);
    const { value: policy } = built;
    return { source: operand, isBuiltin: true, text: policy.text(), policy: success(policy) };
  }
  return parsedPolicy(operand, readFile(operand));
}

/** The policy in a file; throws a UserError with its first problems if it has any. */
export function demandPolicyFile(path: string): ValidPolicy {
  return demandValid(parsedPolicy(path, readFile(path)));
}

export function demandValid({ source, text, policy }: GivenPolicy): ValidPolicy {
  if (policy.ok) return { text, policy: policy.value };
  const { problem: problems } = policy;
  const shown = problems.slice(0, SHOWN).map((problem) => {
    const { line, column, message, hint } = printableProblem(problem);
    return `${source}:${line}:${column}: ${message}: ${hint}`;
  });
  const rest = problems.length > SHOWN ? [`imafs policy check ${source} shows all`] : [];
  const message = `policy ${source} is not valid`;
  throw new UserError(EXIT.badPolicy, 'policy-invalid', message, [...shown, ...rest]);
}

/** Its words fit for a terminal, and no longer than a line of one. */
export function printableProblem(problem: PolicyProblem): PolicyProblem {
  const { token, message, hint } = problem;
  return {
    ...problem,
    token: printable(token),
    message: printable(message),
    hint: printable(hint),
  };
}

/** What a text of policies comes to, wherever it was read. */
export function parsedPolicy(source: string, bytes: Buffer): GivenPolicy {
  const decoded = decodePolicy(bytes);
  if (!decoded.ok) {
    return { source, isBuiltin: false, text: '', policy: failure([decoded.problem]) };
  }
  const { text, problems } = decoded.value;
  const rules = parsePolicy(text, source, policyMachine());
  const all = [...problems, ...(rules.ok ? [] : rules.problem)];
  const policy = rules.ok && all.length === 0 ? success(new Policy(rules.value)) : failure(all);
  return { source, isBuiltin: false, text, policy };
}

function readFile(path: string): Buffer {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw unreadable(path, errnoOf(error) ?? String(error));
  }
  try {
    return readAll(fd, path);
  } finally {
    closeSync(fd);
  }
}

/** No more than a policy can have: it may be a device, or somebody's disk image. */
function readAll(fd: number, name: string): Buffer {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const read = readSync(fd, chunk);
      if (read === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, read));
      sizeBytes += read;
      if (sizeBytes > MOST_BYTES) break;
    }
  } catch (error) {
    throw unreadable(name, errnoOf(error) ?? String(error));
  }
  throw new UserError(
    EXIT.badPolicy,
    'no-policy',
    `${name} has more than ${MOST_BYTES / 1024 / 1024} MiB: that is no policy`,
  );
}

function unreadable(name: string, why: string): UserError {
  return new UserError(
    EXIT.badPolicy,
    'no-policy',
    `policy ${name} cannot be read: ${why}`,
    why === 'ENOENT' ? ['a file, - for standard input, or built-in names such as tcb'] : [],
  );
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
