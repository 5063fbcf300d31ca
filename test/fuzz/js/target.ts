/** Code that takes bytes from strangers, and what has to hold whatever they are. */
export interface Target {
  /** Where that code is: directories and files below src/, packages in node_modules/. */
  readonly code: readonly string[];
  /** No input is longer than so many bytes: short ones are tried faster, and say more. */
  readonly longest: number;
  /** Inputs to begin with: right ones, nearly right ones, and those that were found once. */
  readonly seeds: () => readonly (Uint8Array | string)[];
  /** Throws where something does not hold. */
  readonly check: (input: Uint8Array) => void;
}
