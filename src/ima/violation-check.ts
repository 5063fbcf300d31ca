import type { Access } from './access.js';
import type { Ima } from './ima.js';
import type { AuditPort } from './ports.js';
import { addViolation } from './store-measurement.js';

type Violable = Pick<Access, 'file' | 'name' | 'hasReaders' | 'hasWriters' | 'mayHaveWriters'>;

/**
 * ima_rdwr_violation_check (ima_main.c, Linux 6.15), for an open for writing: who reads what was
 * measured may now read something else. Also to be asked for lists whose policies do not judge the
 * writer. Undefined: all is recorded; else the cause for which the open is refused.
 */
export async function checkWriterViolation(
  ima: Ima,
  audit: AuditPort,
  { file, name, hasReaders }: Pick<Violable, 'file' | 'name' | 'hasReaders'>,
): Promise<string | undefined> {
  const { violations } = ima;
  // Of several writers that asked at once one takes it.
  if (
    !violations.hasMeasuredReader(file.node) ||
    !(await hasReaders()) ||
    !violations.takeTomtou(file.node)
  ) {
    return undefined;
  }
  const problem = await addViolation(ima, audit, file, await name(), 'ToMToU');
  if (problem !== undefined) {
    violations.mayEmitTomtou(file.node);
  }
  return problem;
}

/** The same for an open for reading that is measured: others may change what is measured now. */
export async function checkReaderViolation(
  ima: Ima,
  audit: AuditPort,
  { file, name, hasWriters, mayHaveWriters }: Violable,
): Promise<string | undefined> {
  const { violations } = ima;
  violations.mayEmitTomtou(file.node);
  // Of writers behind the mount nobody says when they are gone.
  if (!violations.mayEmitOpenWriters(file.node) && !mayHaveWriters()) {
    violations.writersEnded(file.node);
  }
  if (
    !violations.mayEmitOpenWriters(file.node) ||
    !(await hasWriters()) ||
    !violations.takeOpenWriters(file.node)
  ) {
    return undefined;
  }
  const problem = await addViolation(ima, audit, file, await name(), 'open_writers');
  if (problem !== undefined) {
    violations.writersEnded(file.node);
  }
  return problem;
}
