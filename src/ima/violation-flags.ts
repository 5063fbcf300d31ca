/** The next open for writing beside a reader is a violation (IMA_MAY_EMIT_TOMTOU). */
const MAY_EMIT_TOMTOU = 1 << 0;
/** This period of writers had its violation (IMA_EMITTED_OPENWRITERS). */
const EMITTED_OPENWRITERS = 1 << 1;

/**
 * What one list knows of files that could be read and written at once (atomic_flags of struct
 * ima_iint_cache): one violation for each period of readers and of writers (Linux 6.15), whichever
 * namespaces they are in. Kept apart from iints because nothing may drop it while the inode lives.
 */
export class ViolationFlags {
  readonly #flags = new Map<number, number>();

  /** Somebody reads what was measured. */
  mayEmitTomtou(node: number): void {
    this.#set(node, MAY_EMIT_TOMTOU);
  }

  hasMeasuredReader(node: number): boolean {
    return this.#has(node, MAY_EMIT_TOMTOU);
  }

  /** Whether ToMToU is due; it is then not due again until the file is measured by another reader. */
  takeTomtou(node: number): boolean {
    const isDue = this.#has(node, MAY_EMIT_TOMTOU);
    this.#clear(node, MAY_EMIT_TOMTOU);
    return isDue;
  }

  mayEmitOpenWriters(node: number): boolean {
    return !this.#has(node, EMITTED_OPENWRITERS);
  }

  /** Whether open_writers is due; it is then not due again until the last writer is gone. */
  takeOpenWriters(node: number): boolean {
    const isDue = this.mayEmitOpenWriters(node);
    this.#set(node, EMITTED_OPENWRITERS);
    return isDue;
  }

  /** ima_check_last_writer: the last writer closed the file. */
  writersEnded(node: number): void {
    this.#clear(node, EMITTED_OPENWRITERS);
  }

  /** The list began anew: nothing is in it that could be violated. */
  clear(): void {
    this.#flags.clear();
  }

  /** The inode is gone. */
  forget(nodes: Iterable<number>): void {
    for (const node of nodes) {
      this.#flags.delete(node);
    }
  }

  #has(node: number, flag: number): boolean {
    return ((this.#flags.get(node) ?? 0) & flag) !== 0;
  }

  #set(node: number, flag: number): void {
    this.#flags.set(node, (this.#flags.get(node) ?? 0) | flag);
  }

  #clear(node: number, flag: number): void {
    const left = (this.#flags.get(node) ?? 0) & ~flag;
    if (left === 0) {
      this.#flags.delete(node);
    } else {
      this.#flags.set(node, left);
    }
  }
}
