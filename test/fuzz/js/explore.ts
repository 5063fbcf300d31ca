/** Fuzzing of one target: inputs that reach what none reached before are kept and changed further. */
import { Coverage } from './coverage.js';
import { type Material, mutate } from './mutate.js';
import { Random } from './random.js';
import { shrink } from './shrink.js';
import type { Target } from './target.js';

export interface Exploration {
  readonly target: Target;
  readonly seed: number;
  /** Inputs besides the target's own seeds. */
  readonly known: readonly Uint8Array[];
  /** What the instrumented code compares with. */
  readonly words: readonly Uint8Array[];
  /** How many places of the code are counted; 0: it is not instrumented, and mutation goes blind. */
  readonly places: number;
  /** Asked now and then. */
  readonly isOver: (progress: Progress) => boolean;
  /** Told of each input before it is tried: whoever watches sees which one does not end. */
  readonly trying: (input: Uint8Array) => void;
  /** Told of each input that is kept. */
  readonly kept: (input: Uint8Array) => void;
}

export interface Progress {
  readonly inputs: number;
  readonly kept: number;
  /** Places reached, and so many classes of counts of them. */
  readonly reached: number;
  readonly features: number;
}

export interface Finding {
  readonly input: Uint8Array;
  readonly error: Error;
}

/** Inputs between two looks at the clock. */
const TURNS = 64;

/** The first input that the target throws for, as short as it gets; undefined if none was found in time. */
export function explore(exploration: Exploration): Finding | undefined {
  const { target, seed, known, words, places, isOver, trying, kept } = exploration;
  const random = new Random(seed);
  const coverage = new Coverage(places);
  const inputs: Uint8Array[] = [];
  const material: Material = { inputs, words };
  let tried = 0;
  const progress = (): Progress => ({
    inputs: tried,
    kept: inputs.length,
    reached: coverage.reached,
    features: coverage.features,
  });

  /** Its error, if there is one; keeps what is new. */
  const attempt = (input: Uint8Array, isSeed: boolean): Error | undefined => {
    tried += 1;
    trying(input);
    let error: Error | undefined;
    const found = coverage.newOf(() => {
      error = errorOf(target, input);
    });
    if (error === undefined && (found > 0 || (isSeed && places === 0))) {
      inputs.push(input);
      kept(input);
    }
    return error;
  };

  const seeds = [...target.seeds().map(bytesOf), ...known];
  for (const input of seeds) {
    const error = attempt(input.subarray(0, target.longest), true);
    if (error) return shrunk(target, { input, error });
  }
  while (!isOver(progress())) {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const input = mutate(choose(inputs, random), target.longest, random, material);
      const error = attempt(input, false);
      if (error) return shrunk(target, { input, error });
    }
  }
  return undefined;
}

function bytesOf(seed: Uint8Array | string): Uint8Array {
  return typeof seed === 'string' ? Buffer.from(seed) : seed;
}

/** The newer half as often as all together: what was reached last has not been gone on from yet. */
function choose(inputs: readonly Uint8Array[], random: Random): Uint8Array {
  const from = random.below(2) * Math.floor(inputs.length / 2);
  return inputs[from + random.below(inputs.length - from)] ?? new Uint8Array();
}

function errorOf(target: Target, input: Uint8Array): Error | undefined {
  try {
    target.check(input);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What fails at another place would be another finding. */
function shrunk(target: Target, { input, error }: Finding): Finding {
  const place = placeOf(error);
  const shortest = shrink(input, (shorter) => {
    const other = errorOf(target, shorter);
    return other !== undefined && placeOf(other) === place;
  });
  return { input: shortest, error: errorOf(target, shortest) ?? error };
}

/** Kind of the error, and the first lines of the stack that are ours. */
function placeOf({ name, stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => line.includes('/dist/'));
  return `${name} ${frames.slice(0, 2).join(' ')}`;
}
