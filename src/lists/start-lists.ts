/** The lists of a daemon: the system's is opened before anything can be measured. */
import { readFileSync } from 'node:fs';
import type { Log } from '../base/log.js';
import { type ClaimParts, claimTpm } from '../tpm/claim-tpm.js';
import { Lists } from './lists.js';

export interface StartListsParts extends Omit<ClaimParts, 'swtpmDirectory'> {
  readonly stateDirectory: string;
  readonly tpmRequired: boolean;
  readonly mostEntries: number;
  readonly mostOwnersBytes: number;
  readonly lives: (id: bigint) => boolean | undefined;
  readonly log: Log;
}

/** Lists without a list yet. Throws where the state directory cannot be used. */
export const startLists = (parts: StartListsParts): Lists => {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const openTpm = (name: string, swtpmDirectory: string) =>
    claimTpm(name, { ...parts, swtpmDirectory });
  const lists = new Lists({ ...parts, bootId, openTpm });
  lists.removeStale();
  return lists;
};
