import type { Log } from '../base/log.js';
import type { HashAlgorithm } from '../ima/ports.js';
import type { Template } from '../ima/template/template.js';
import type { ListDirectory } from './list-state.js';

/** What a list is told by whoever makes it. */
export interface ListSettings {
  readonly directory: ListDirectory;
  /** 64-bit id, decimal, or `system`. */
  readonly namespace: string;
  readonly bootId: string;
  /** CONFIG_IMA_MEASURE_PCR_IDX */
  readonly pcr: number;
  /** What cannot be extended is refused. */
  readonly isRequired: boolean;
  /** Entries at most. */
  readonly mostEntries: number;
  /** Whether so many bytes more may be kept for the owner of the namespace. */
  readonly mayGrow: (bytes: number) => boolean;
  /** Of the lines that begin a list. */
  readonly template: () => Template;
  readonly hashAlgorithm: () => HashAlgorithm;
  /** A new list begins: whatever was measured has to be measured again. Called before its first entry. */
  readonly began: () => void;
  readonly log: Log;
}
