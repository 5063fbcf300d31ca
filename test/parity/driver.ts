/**
 * A scene as shell scripts that a kernel's guest and a mount of imafs run alike. Everything that acts
 * is xt; only these three places differ.
 */
import { type Case, directoryOf, type FileSpec, ownerOf, policyOf, type Scene } from './case.js';
import { PROGRAM } from './content.js';

export interface Side {
  /** Where the files are made, before anybody watches. */
  readonly tree: string;
  /** The directory with xt, the policy and the program. */
  readonly host: string;
  /** The directory with policy and lists. */
  readonly ima: string;
  /** Shell command that prints the audit records so far. */
  readonly auditLog: string;
}

/** Where the files are while they are watched: a path of the lists and records, so the same for both. */
export const TREE = '/mnt';

/** What the scripts say when a file could not be made as wanted. */
export const UNPREPARED = 'unprepared';

/** What a side finds in its host directory besides xt. */
export function hostFiles(scene: Scene): Readonly<Record<string, string | Uint8Array>> {
  return {
    policy: policyOf(scene)
      .map((rule) => `${rule}\n`)
      .join(''),
    program: PROGRAM,
  };
}

/** Makes the files of all cases. */
export function prepareScript(scene: Scene, { tree, host }: Side): string {
  const lines = scene.cases
    .filter(({ line }) => line === undefined)
    .map(
      (it) =>
        `${host}/xt ${prepareCase(it, host)} > $log || { echo "@@ ${UNPREPARED}"; cat $log; }`,
    );
  return ['log=/tmp/parity-prepare.$$', `cd ${tree}`, ...lines, 'rm -f $log', ''].join('\n');
}

/** Loads the policy, does the steps of all cases, and shows what came of it. */
export function stepsScript(scene: Scene, { host, ima, auditLog }: Side): string {
  const xt = `${host}/xt`;
  return [
    `cd ${TREE}`,
    'echo "@@ policy"',
    ...(policyOf(scene).length === 0
      ? []
      : [`${xt} open w ${ima}/policy , lines ${host}/policy , close`]),
    ...scene.cases.flatMap((it) => caseLines(it, xt, ima)),
    // Some records name a file without its directory.
    'echo "@@ inodes"',
    'ls -iR .',
    'echo "@@ list"',
    `cat ${ima}/ascii_runtime_measurements`,
    'echo "@@ audit"',
    auditLog,
    'echo "@@ end"',
    '',
  ].join('\n');
}

function caseLines(it: Case, xt: string, ima: string): string[] {
  const directory = directoryOf(it);
  const labels = [...Object.keys(it.files ?? {}), ...(it.makes ?? [])].map(
    (name) => `getx ${directory}/${name} security.ima`,
  );
  return [
    `echo "@@ steps ${directory}"`,
    ...it.steps.map((step) => commandOf(filled(step, it, ima), it, xt)),
    ...(it.line === undefined || it.steps.join().includes('$D')
      ? []
      : [markLog(directory, xt, ima)]),
    `echo "@@ labels ${directory}"`,
    ...(labels.length === 0 ? [] : [`${xt} ${words(labels.join(' , '))}`]),
  ];
}

function prepareCase(it: Case, host: string): string {
  const directory = directoryOf(it);
  let opened = 0;
  const files = Object.entries(it.files ?? {}).flatMap(([name, file]) => {
    const path = quote(unescaped(`${directory}/${name}`));
    const { content = '' } = file;
    if (typeof content === 'string') {
      opened += 1;
      const write = content === '' ? [] : [`write ${quote(content)}`];
      return [`open wc ${path}`, ...write, 'close', ...attributes(path, file, ownerOf(it))];
    }
    opened += 2;
    return [
      `open r ${host}/program`,
      `open wc ${path}`,
      `sendfile ${opened - 2} ${content.length}`,
      'close',
      ...attributes(path, file, ownerOf(it)),
    ];
  });
  return [`mkdir ${directory} 777`, `chmod ${directory} 777`, ...files].join(' , ');
}

function attributes(path: string, file: FileSpec, own: number): string[] {
  const { owner = own, group = owner, mode = 0o644, label, evm } = file;
  return [
    `chown ${path} ${owner} ${group}`,
    `chmod ${path} ${mode.toString(8)}`,
    ...(label === undefined ? [] : [`setx ${path} security.ima ${label}`]),
    ...(evm === undefined ? [] : [`setx ${path} security.evm ${evm}`]),
  ];
}

/** A bad rule that names the case: what the log has before it is about the case's own line. */
function markLog(directory: string, xt: string, ima: string): string {
  return `${xt} ${words(`open w ${ima}/policy , write ${directory}%0a , close`)} > /tmp/parity-mark.$$`;
}

function commandOf(step: string, it: Case, xt: string): string {
  if (step.startsWith('! ')) return step.slice(2);
  const place = it.line === undefined ? `chdir ${directoryOf(it)} , ` : '';
  return `${xt} ${words(place + step)}`;
}

function filled(step: string, it: Case, ima: string): string {
  return step
    .replaceAll('$IMA', ima)
    .replaceAll('$D', directoryOf(it))
    .replaceAll('$O', String(ownerOf(it)));
}

/** Words for the shell; blanks separate them, `%20` stands for one inside a word. */
function words(operations: string): string {
  return operations
    .split(' ')
    .map((word) => quote(unescaped(word)))
    .join(' ');
}

const unescaped = (word: string): string =>
  word.replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );

function quote(text: string): string {
  return /^[\w/.,:=^+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
