import type { ExitCode } from './exit-codes.js';
import type { Output } from './output.js';

/** A long option of a verb. */
export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in help, `NSID`; string options only. */
  readonly value?: string;
  /** undefined hides the option from help and completion. */
  readonly help: string | undefined;
}

/** Options as given: the last one counts, unless the option is `multiple`. */
export interface GivenOptions {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

export interface Invocation {
  readonly operands: readonly string[];
  readonly options: GivenOptions;
  readonly output: Output;
}

/** A verb: everything help, usage, completion and parsing need to know of it. */
export interface Command {
  /** `policy check` */
  readonly name: string;
  readonly summary: string;
  /** As usage shows them, `BACKING MOUNTPOINT`. */
  readonly operands: string;
  readonly fewest: number;
  readonly most: number;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Further lines of `imafs VERB --help`. */
  readonly details?: readonly string[];
  readonly run: (invocation: Invocation) => Promise<ExitCode>;
}
