import { failure, type Result, success } from '../base/result.js';
import { nearestWord } from '../ima/policy/nearest-word.js';
import {
  FLAG_OPTIONS,
  IGNORED_OPTIONS,
  MOUNT_OPTIONS,
  type MountOptionName,
  type MountOptionSpec,
} from './mount-option-table.js';

export interface MountOptions {
  /** mount(2) flags: the MS_* of mount-option-table.ts. */
  readonly mountFlags: number;
  /** Options of imafs as given, each valid by the table; an option not given is absent. */
  readonly given: ReadonlyMap<MountOptionName, string>;
}

export interface MountOptionProblem {
  readonly code: 'unknown-mount-option' | 'bad-mount-option' | 'not-there-yet';
  readonly message: string;
  readonly hint: string | undefined;
}

type Checked<Value> = Result<Value, MountOptionProblem>;

/**
 * Reads the values of all `-o`, each a comma separated list, and checks them against the table.
 * As mount(8) does, a later word overrides an earlier one.
 */
export function parseMountOptions(lists: readonly string[]): Checked<MountOptions> {
  let mountFlags = 0;
  const given = new Map<MountOptionName, string>();
  for (const word of lists.flatMap(splitList)) {
    const flag = Object.hasOwn(FLAG_OPTIONS, word) ? FLAG_OPTIONS[word] : undefined;
    if (flag !== undefined) {
      mountFlags = flag.set ? mountFlags | flag.flag : mountFlags & ~flag.flag;
      continue;
    }
    const [name, value] = splitWord(word);
    if (isIgnored(name)) continue;
    if (!isMountOption(name)) return unknownOption(name);
    const checked = checkValue(name, value);
    if (!checked.ok) return checked;
    given.set(name, checked.value);
  }
  return success({ mountFlags, given });
}

/** For who asked to be forgiven: the lists without the options that nobody knows, and those. */
export function knownOptions(lists: readonly string[]): {
  readonly known: readonly string[];
  readonly unknown: readonly string[];
} {
  const known: string[] = [];
  const unknown: string[] = [];
  for (const word of lists.flatMap(splitList)) {
    const [name] = splitWord(word);
    if (Object.hasOwn(FLAG_OPTIONS, word) || isIgnored(name) || isMountOption(name)) {
      known.push(word.includes(',') ? `"${word}"` : word);
    } else {
      unknown.push(word);
    }
  }
  return { known, unknown };
}

/** Commas separate options, but not those in double quotes, nor those in the name of a TPM. */
function splitList(list: string): string[] {
  const words: string[] = [];
  for (const quoted of list.match(/(?:"[^"]*"|[^,"])+/g) ?? []) {
    const word = quoted.replaceAll('"', '');
    if (/^(host|port|path|bus_type|bus_name)=/.test(word) && words.at(-1)?.startsWith('tpm=')) {
      words.push(`${words.pop()},${word}`);
    } else {
      words.push(word);
    }
  }
  return words;
}

function splitWord(word: string): [string, string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

function isIgnored(name: string): boolean {
  return IGNORED_OPTIONS.includes(name) || /^x-/i.test(name);
}

function isMountOption(name: string): name is MountOptionName {
  return Object.hasOwn(MOUNT_OPTIONS, name);
}

function unknownOption(name: string): Checked<never> {
  const known = [...Object.keys(MOUNT_OPTIONS), ...Object.keys(FLAG_OPTIONS)];
  const nearest = nearestWord(name, known);
  return failure({
    code: 'unknown-mount-option',
    message: `unknown mount option '${name}'`,
    hint: nearest === undefined ? "'imafs mount --help' lists them" : `did you mean '${nearest}'?`,
  });
}

function checkValue(name: MountOptionName, value: string | undefined): Checked<string> {
  const spec: MountOptionSpec = MOUNT_OPTIONS[name];
  if (spec.values === 'none') {
    if (value !== undefined) return badValue(`mount option '${name}' takes no value`);
    return spec.later === 'all' ? notThereYet(name) : success('');
  }
  if (value === undefined || value === '') return badValue(`mount option '${name}' needs a value`);
  if (spec.values === 'any') return spec.later === 'all' ? notThereYet(name) : success(value);
  if (spec.values.includes(value)) return success(value);
  if (spec.later === 'all' || spec.later?.includes(value)) {
    return notThereYet(`${name}=${value}`, `what works now: ${name}=${spec.values.join('|')}`);
  }
  const nearest = nearestWord(value, spec.values);
  return badValue(
    `mount option '${name}' cannot be '${value}'`,
    nearest === undefined ? `one of: ${spec.values.join(', ')}` : `did you mean '${nearest}'?`,
  );
}

function badValue(message: string, hint?: string): Checked<never> {
  return failure({ code: 'bad-mount-option', message, hint });
}

function notThereYet(what: string, hint?: string): Checked<never> {
  return failure({ code: 'not-there-yet', message: `mount option ${what} is not there yet`, hint });
}
