/** The architecture as data: who may import whom, and what has a single door (DESIGN section 1). */

export interface ImportRule {
  /** Directories of src/ (or files, for those at its top) that may be imported besides its own. */
  readonly may: readonly string[];
  /** Only `import type` from these: an implementer names the port it implements. */
  readonly mayTypes?: readonly string[];
  readonly why: string;
}

export const IMPORT_RULES: Readonly<Record<string, ImportRule>> = {
  base: { may: [], why: 'base holds no domain words: it imports nothing of imafs' },
  ima: { may: ['base'], why: 'src/ima is pure: it declares ports, others implement them' },
  audit: {
    may: ['base'],
    mayTypes: ['ima', 'binding'],
    why: 'audit implements a port of src/ima and knows nothing else',
  },
  binding: {
    may: ['ima', 'base'],
    why: 'binding is the door to native/: it implements ports, by what src/ima computes where it can',
  },
  keys: {
    may: ['base', 'ima', 'binding'],
    why: 'keys fills keyrings of src/ima from certificates, whose keys native/ verifies with',
  },
  labels: {
    may: ['base', 'binding'],
    mayTypes: ['ima'],
    why: 'labels reaches files and their security.ima where no daemon is asked',
  },
  tpm: {
    may: ['base'],
    mayTypes: ['ima'],
    why: 'tpm is the door to tpm2-tss and knows PCRs, not lists',
  },
  lists: {
    may: ['tpm', 'ima', 'base'],
    why: 'lists implements the list port of src/ima on journals and TPMs',
  },
  namespaces: {
    may: ['ima', 'base'],
    mayTypes: ['binding', 'audit', 'daemon-options'],
    why: 'namespaces uses the semantics and is told of the transport by types',
  },
  control: {
    may: ['namespaces', 'ima', 'base'],
    mayTypes: ['binding', 'audit', 'daemon-options'],
    why: 'the control tree uses namespaces and src/ima',
  },
  gate: {
    may: ['namespaces', 'keys', 'ima', 'base'],
    mayTypes: ['binding', 'audit', 'daemon-options'],
    why: 'the gate uses namespaces and src/ima',
  },
  cli: {
    may: ['labels', 'keys', 'ima', 'base', 'daemon-options'],
    why: 'the command line talks to a running daemon through the control tree only',
  },
  integrations: {
    may: ['cli', 'base'],
    why: 'integrations are other front doors to the command line',
  },
  'daemon-options': { may: [], mayTypes: ['ima'], why: 'options are values' },
  'daemon-lists': {
    may: ['base', 'binding', 'control', 'ima', 'lists', 'namespaces', 'tpm', 'daemon-options'],
    why: 'it is a part of the composition root',
  },
  'daemon-files': {
    may: ['audit', 'base', 'gate', 'daemon-options'],
    mayTypes: ['binding'],
    why: 'it is a part of the composition root',
  },
  'daemon-keys': {
    may: ['audit', 'base', 'ima', 'keys', 'namespaces', 'daemon-options'],
    mayTypes: ['binding', 'control'],
    why: 'it is a part of the composition root',
  },
  daemon: {
    may: [
      'daemon-keys',
      'daemon-files',
      'daemon-lists',
      'audit',
      'base',
      'binding',
      'control',
      'gate',
      'ima',
      'keys',
      'lists',
      'namespaces',
      'tpm',
      'daemon-options',
    ],
    why: 'the composition root wires everything but the command line',
  },
  main: { may: ['cli', 'integrations', 'daemon', 'base'], why: 'main only picks what to run' },
};

export interface Door {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files below src/ that are the door. */
  readonly at: readonly string[];
}

/** One door each: what only the named files may touch. */
export const DOORS: readonly Door[] = [
  { what: 'the .node file', pattern: /\.node['"`]|process\.dlopen/, at: ['binding/addon.ts'] },
  { what: 'koffi', pattern: /['"]koffi['"]/, at: ['tpm/esys.ts'] },
  { what: 'errno numbers', pattern: /constants\.errno|\bos\.constants\b/, at: ['base/errno.ts'] },
  { what: 'stdout', pattern: /process\.stdout|\bconsole\.\w/, at: ['cli/output.ts', 'main.ts'] },
  { what: 'process.exit', pattern: /process\.(exit|reallyExit|abort)\(/, at: ['main.ts'] },
];

/** What src/ima must not import: it makes no system call and reads no clock. */
export const IMPURE_MODULES = /^node:(?!buffer$)/;

/** Words of IMA that have no place in native/, which is mechanism. */
export const IMA_WORDS = /\b(ima|apprais\w*|measur\w*|keyring)\b/i;
