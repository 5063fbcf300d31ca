/** New inputs from old ones. */
import type { Random } from './random.js';

export interface Material {
  /** Inputs that did something new, each of which can lend a part of itself. */
  readonly inputs: readonly Uint8Array[];
  /** What the code compares with. */
  readonly words: readonly Uint8Array[];
}

type Mutation = (input: Uint8Array, random: Random, material: Material) => Uint8Array;

/** Lengths and numbers at which counting goes wrong. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 127, 128, 255, 256, 4095, 32767, 65535]
  .concat([0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff])
  .flatMap((number) => [
    Uint8Array.of(number),
    Uint8Array.of(number, number >>> 8),
    Uint8Array.of(number >>> 8, number),
    Uint8Array.of(number, number >>> 8, number >>> 16, number >>> 24),
    Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number),
    Buffer.from(String(number)),
  ]);

const EMPTY = new Uint8Array();

/** One to several changes of an input, `longest` bytes at most. */
export function mutate(
  input: Uint8Array,
  longest: number,
  random: Random,
  material: Material,
): Uint8Array {
  let changed = input;
  for (let left = 1 + random.below(1 << random.below(4)); left > 0; left -= 1) {
    const mutation = random.pick(MUTATIONS);
    changed = mutation?.(changed, random, material) ?? changed;
  }
  return changed.subarray(0, longest);
}

const flipBit: Mutation = (input, random) =>
  overwrite(input, random, (byte) => byte ^ (1 << random.below(8)));

const setByte: Mutation = (input, random) => overwrite(input, random, () => random.below(256));

const addToByte: Mutation = (input, random) =>
  overwrite(input, random, (byte) => byte + random.below(33) - 16);

const drop: Mutation = (input, random) => {
  const [start, end] = range(input, random);
  return Buffer.concat([input.subarray(0, start), input.subarray(end)]);
};

const cut: Mutation = (input, random) => input.slice(0, random.below(input.length));

const repeat: Mutation = (input, random) => {
  const [start, end] = range(input, random);
  const times = 1 + random.below(1 << random.below(6));
  const again = Array.from({ length: times }, () => input.subarray(start, end));
  return Buffer.concat([input.subarray(0, end), ...again, input.subarray(end)]);
};

const insertWord: Mutation = (input, random, { words }) =>
  insert(input, random, random.pick(words));

const writeWord: Mutation = (input, random, { words }) => write(input, random, random.pick(words));

const insertEdge: Mutation = (input, random) => insert(input, random, random.pick(EDGES));

const writeEdge: Mutation = (input, random) => write(input, random, random.pick(EDGES));

const borrow: Mutation = (input, random, { inputs }) => {
  const other = random.pick(inputs) ?? input;
  const part = other.subarray(...range(other, random));
  return random.below(2) === 0 ? insert(input, random, part) : write(input, random, part);
};

const cross: Mutation = (input, random, { inputs }) => {
  const other = random.pick(inputs) ?? input;
  const head = input.subarray(0, random.below(input.length + 1));
  return Buffer.concat([head, other.subarray(random.below(other.length + 1))]);
};

const MUTATIONS: readonly Mutation[] = [
  ...[flipBit, setByte, addToByte, drop, cut, repeat],
  ...[insertWord, insertWord, writeWord, insertEdge, writeEdge, borrow, borrow, cross],
];

function overwrite(
  input: Uint8Array,
  random: Random,
  change: (byte: number) => number,
): Uint8Array {
  const changed = input.slice();
  const at = random.below(changed.length);
  changed[at] = change(changed[at] ?? 0);
  return changed;
}

function insert(input: Uint8Array, random: Random, part: Uint8Array = EMPTY): Uint8Array {
  const at = random.below(input.length + 1);
  return Buffer.concat([input.subarray(0, at), part, input.subarray(at)]);
}

function write(input: Uint8Array, random: Random, part: Uint8Array = EMPTY): Uint8Array {
  const at = random.below(input.length + 1);
  return Buffer.concat([input.subarray(0, at), part, input.subarray(at + part.length)]);
}

/** Short ones mostly. */
function range(input: Uint8Array, random: Random): [start: number, end: number] {
  const start = random.below(input.length + 1);
  const most = 1 << random.below(11);
  return [start, Math.min(input.length, start + 1 + random.below(most))];
}
