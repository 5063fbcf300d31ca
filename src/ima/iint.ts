import type { AppraiseSlot } from './policy/match-policy.js';

/** What was done for the version the iint speaks for (kernel IMA_DONE_MASK, less IMA_MEASURED). */
export const IMA_AUDITED = 1 << 1;
/**
 * A `hash` rule matched: the next last writer's close writes security.ima, whoever that writer is and whatever
 * becomes of the file until then (the kernel's IMA_UPDATE_XATTR, set by the hash action).
 */
export const IMA_HASHED = 1 << 2;
/** The content of this version was hashed. */
export const IMA_COLLECTED = 1 << 3;

/** An appraisal passed, one bit per slot: only a pass is ever kept (ima_cache_flags). */
export const IMA_APPRAISED: Readonly<Record<AppraiseSlot, number>> = {
  FILE: 1 << 4,
  MMAP: 1 << 5,
  BPRM: 1 << 6,
  CREDS: 1 << 7,
  READ: 1 << 8,
};

/** A signature vouches for the file (kernel atomic_flags). */
export const IMA_DIGSIG = 1 << 12;

/** Owner or mode is another than when the appraisals passed (kernel atomic_flags). */
export const IMA_CHANGE_ATTR = 1 << 13;

/** A writer whose open passed appraisal is about: its last close may write security.ima. */
export const IMA_UPDATE_XATTR = 1 << 9;
/** The file is in the making, and that was appraised: it needs no label yet. */
export const IMA_NEW_FILE = 1 << 10;
/** The version has moved since that writer's open was judged, or it made the file, be it empty. */
const WRITTEN = 1 << 11;

/** Iints with a writer an eviction passes over before it gives up for this time. */
const MOST_LOOKS = 8;

const IMA_DONE_MASK = ((IMA_UPDATE_XATTR - 1) & ~IMA_HASHED) | IMA_DIGSIG | IMA_CHANGE_ATTR;

/** What holds for a version even if its content is not to be relied on. */
const OF_VERSION = IMA_AUDITED | IMA_COLLECTED;

/**
 * What one namespace's IMA remembers of one inode (kernel struct ima_iint_cache). There may be a
 * hundred thousand of them, so a few numbers and no more; digests are kept by file version elsewhere.
 */
export class Iint {
  /** The file's version that the done bits speak for. */
  version = -1;
  /** The Ima's generation they speak for. */
  generation = -1;
  flags = 0;
  /** A bit for each PCR that the file was measured into (measured_pcrs), in two halves. */
  #measuredLow = 0;
  #measuredHigh = 0;

  /** Whether it was measured into the PCR (0 to 63). */
  isMeasured(pcr: number): boolean {
    const half = pcr < 32 ? this.#measuredLow : this.#measuredHigh;
    return (half & (1 << pcr)) !== 0;
  }

  /** IMA_MEASURED; shifts count modulo 32. */
  setMeasured(pcr: number): void {
    if (pcr < 32) {
      this.#measuredLow |= 1 << pcr;
    } else {
      this.#measuredHigh |= 1 << pcr;
    }
  }

  /** Fix mode wrote the label: what was `before` is `now` the same content under another version. */
  relabelled(before: number, now: number): void {
    if (this.version === before) {
      this.version = now;
    }
  }

  /** Whether the done bits were earned under this version and generation. */
  speaksFor(version: number, generation: number): boolean {
    return this.version === version && this.generation === generation;
  }

  /**
   * Begins anew for another version or generation; a writer's bits live until the last close, and so
   * may what was measured.
   */
  reset(version: number, generation: number, keepsMeasured = false): void {
    if (this.has(IMA_UPDATE_XATTR) && this.version !== version) {
      this.flags |= WRITTEN;
    }
    this.version = version;
    this.generation = generation;
    this.flags &= ~IMA_DONE_MASK;
    if (!keepsMeasured) {
      this.#measuredLow = 0;
      this.#measuredHigh = 0;
    }
  }

  /** Writers had an end: whatever was found is to be found again; of writers to come their bits stay. */
  forgetResults(): void {
    this.flags &= ~(IMA_DONE_MASK & ~OF_VERSION);
    this.#measuredLow = 0;
    this.#measuredHigh = 0;
  }

  /**
   * The content may be another next time, at the same version: what depends on it is to be done again. An
   * audit record is not repeated.
   */
  distrust(): void {
    this.forgetResults();
  }

  /** A writer opened the file at `version`, and the open passed. */
  addWriter(version: number, isNew: boolean): void {
    this.flags |= IMA_UPDATE_XATTR;
    if (isNew || this.version !== version) {
      this.flags |= WRITTEN;
    }
  }

  /** While there are writers, what passed counts for rules that look at the content alone. */
  changeAttributes(): void {
    this.flags |= IMA_CHANGE_ATTR;
  }

  /** Nobody appraises the file any more: its last close writes no security.ima. */
  dropWriter(): void {
    this.flags &= ~(IMA_UPDATE_XATTR | IMA_HASHED);
  }

  hasWriter(): boolean {
    return this.has(IMA_UPDATE_XATTR);
  }

  /** Whether the file is another one than the writers found, `version` being today's. */
  isWritten(version: number): boolean {
    return this.has(WRITTEN) || this.version !== version;
  }

  /**
   * The last writer is gone, and nobody has written: the kernel goes by the version alone and forgets nothing.
   * We look at the content again, but an audit record is not repeated.
   */
  endUnwritten(now: number): void {
    this.forgetResults();
    this.flags &= OF_VERSION;
    this.version = now;
  }

  /** The file was hashed for its label, which made it `version`; of that nothing else is known. */
  endLabelled(version: number, generation: number): void {
    this.reset(version, generation);
    this.flags = IMA_COLLECTED;
  }

  /** Its content was hashed at `version`, today's. */
  isCollected(version: number): boolean {
    return this.has(IMA_COLLECTED) && this.version === version;
  }

  has(bits: number): boolean {
    return (this.flags & bits) !== 0;
  }
}

/**
 * The iints of one namespace by node, the least recently used dropped beyond `capacity`. Dropping
 * one costs a re-evaluation, except where a writer is open: those stay, so that the hash is written
 * at its close, and the bound is exceeded by at most the number of open writers.
 */
export class IintCache {
  readonly #capacity: number;
  readonly #iints = new Map<number, Iint>();
  /** The node obtained last. */
  #latest = -1;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#iints.size;
  }

  /** ima_iint_find */
  find(node: number): Iint | undefined {
    return this.#iints.get(node);
  }

  /** ima_inode_get: the node's iint, made if there is none. */
  obtain(node: number): Iint {
    const known = this.#iints.get(node);
    // The hooks of one open ask one after the other, and a Map grows by what is deleted from it.
    if (known && node === this.#latest) {
      return known;
    }
    this.#latest = node;
    const iint = known ?? new Iint();
    this.#iints.delete(node);
    // A Map iterates in order of insertion, so the first is the one not used for longest.
    this.#iints.set(node, iint);
    if (this.#iints.size > this.#capacity) {
      this.#evict(node);
    }
    return iint;
  }

  /** The inode is gone (FORGET): its number may come back as another file. */
  forget(nodes: Iterable<number>): void {
    for (const node of nodes) {
      this.#iints.delete(node);
    }
  }

  #evict(spared: number): void {
    let looks = MOST_LOOKS;
    for (const [node, iint] of this.#iints) {
      if (this.#iints.size <= this.#capacity || node === spared || looks === 0) {
        return;
      }
      this.#iints.delete(node);
      if (iint.hasWriter()) {
        // Behind the others, so that the next eviction looks at them first.
        this.#iints.set(node, iint);
        looks -= 1;
      }
    }
  }
}
