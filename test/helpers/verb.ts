import type { Namespace } from './namespace.js';
import { IMAFS } from './project.js';

export interface Answered {
  readonly exit: number | null;
  readonly lines: Record<string, unknown>[];
}

/** Runs a verb with --json; every line of its stdout has to be JSON. */
export async function verb(namespace: Namespace, ...words: string[]): Promise<Answered> {
  const { exit, stdout } = await namespace.run([...IMAFS, ...words, '--json']);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { exit, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}
