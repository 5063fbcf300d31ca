/** What is kept of a file that somebody may be writing to. */
import type { OpenUpcall } from '../binding/addon-types.js';
import type { Ima } from '../ima/ima.js';
import type { Digest } from '../ima/ports.js';
import type { Judge } from '../namespaces/registry.js';

export interface Unsettled {
  readonly node: number;
  readonly ino: bigint;
  path: string;
  /** 64-bit ids of the namespaces of its writers. */
  readonly scopes: Set<bigint>;
  /** The policies that let its writers in, in the order of judging. */
  readonly imas: Set<Ima>;
  /** security.ima may be written, as far as all writing opens go. */
  mayLabel: boolean;
  /** It is in the journal, because the last close is to label it. */
  isJournalled: boolean;
  /** What it was when the first of its writers opened it. */
  readonly versionBefore: number;
  /** That version may stand for other content too: see NodeUpcall. */
  readonly wasFresh: boolean;
  /** Opens for writing that were allowed and whose handles have not been released. */
  writers: number;
  /** The version that is labelled already, while handles are still to be released. */
  labelledVersion: number | undefined;
  /** The version at which nobody could write, while handles are still to be released. */
  endedVersion: number | undefined;
  /** Its content: if that is still the same at the end, a label set meanwhile stays as it was set. */
  labelledContent: Digest | undefined;
}

/** An allowed open for writing. */
export interface WritingOpen {
  readonly upcall: OpenUpcall;
  /** Who judged it. */
  readonly judges: readonly Judge[];
  /** This writing may lead to security.ima being written. */
  readonly mayLabel: boolean;
  /** One of them will want the hash written at the last close. */
  readonly wantsLabel: boolean;
}

/** The record of a file with a first writer. */
export const newlyUnsettled = ({ node, file, path, version, fresh }: OpenUpcall): Unsettled => ({
  node,
  ino: file.ino,
  path,
  scopes: new Set(),
  imas: new Set(),
  mayLabel: true,
  isJournalled: false,
  versionBefore: version,
  wasFresh: fresh,
  writers: 0,
  labelledVersion: undefined,
  endedVersion: undefined,
  labelledContent: undefined,
});

/** Adds one more writer, who is being let in at this moment. */
export const addWriter = (record: Unsettled, writing: WritingOpen): void => {
  const { upcall, judges, mayLabel, wantsLabel } = writing;
  record.path = upcall.path;
  record.scopes.add(upcall.caller.scope);
  for (const { ima } of judges) record.imas.add(ima);
  record.mayLabel &&= mayLabel;
  record.isJournalled ||= wantsLabel;
  record.writers += 1;
  record.endedVersion = undefined;
};
