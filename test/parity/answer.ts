/** What a side answered to a case, read from what its scripts printed, in a form both sides share. */
import { parseAuditLine } from '../helpers/audit-lines.js';
import { directoryOf, policyOf, type Scene } from './case.js';
import { TREE, UNPREPARED } from './driver.js';

export interface Answer {
  /** What xt printed, an operation each. */
  readonly steps: readonly string[];
  /** Audit records that name a file of the case, in order. */
  readonly audit: readonly string[];
  /** Lines of the ascii list that name a file of the case, in order. */
  readonly list: readonly string[];
  /** security.ima of each file in the end, in hex. */
  readonly labels: Readonly<Record<string, string>>;
}

/** By the name of the case. */
export type Answers = ReadonlyMap<string, Answer>;

/** Another kernel than the scene's may lack an algorithm, and so refuse to label a file by it. */
export function readAnswers(scene: Scene, output: string, mayLackFiles = false): Answers {
  const sections = sectionsOf(output);
  const policy = sections.get('policy') ?? [];
  if (policy.some((line) => !line.includes('=ok'))) {
    throw new Error(`${scene.name}: the policy was not loaded: ${policy.join(', ')}`);
  }
  const unprepared = sections.get(UNPREPARED);
  if (unprepared && !mayLackFiles)
    throw new Error(`${scene.name}: files are missing: ${unprepared.join(' ')}`);
  if (!sections.has('end')) throw new Error(`${scene.name}: no end: ${output.slice(-1000)}`);
  const inodes = directoriesByInode(sections.get('inodes') ?? []);
  const log = sections.get('audit') ?? [];
  const records = [...log.flatMap((line) => recordOf(line, inodes)), ...policyRecords(scene, log)];
  const list = listEntries(sections.get('list') ?? []);
  return new Map(
    scene.cases.map((it) => {
      const directory = directoryOf(it);
      const names = [...Object.keys(it.files ?? {}), ...(it.makes ?? [])];
      const labels = sections.get(`labels ${directory}`) ?? [];
      const answer: Answer = {
        steps: (sections.get(`steps ${directory}`) ?? []).filter((line) => line !== 'chdir=ok'),
        audit: records.filter((record) => record.directory === directory).map(({ text }) => text),
        list: list.filter((line) => line.includes(`${TREE}/${directory}/`)),
        labels: Object.fromEntries(
          names.map((name, at) => [name, labelOf(labels[at], it.files?.[name]?.label)]),
        ),
      };
      return [it.name, answer];
    }),
  );
}

function sectionsOf(output: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let section: string[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('@@ ')) sections.set(line.slice(3), (section = []));
    else section.push(line);
  }
  for (const lines of sections.values()) if (lines.at(-1) === '') lines.pop();
  return sections;
}

/** `kept` is short for what the case made it. */
function labelOf(line = 'getx=missing', made = ''): string {
  const label = line.replace(/^getx=(ok )?/, '');
  return label === made ? 'kept' : label;
}

/** What a record says whoever writes it: not the process, the inode and the time. */
const TOLD = ['op', 'cause', 'file', 'hash', 'uid', 'euid', 'comm', 'name', 'res', 'errno'];

interface AuditRecord {
  readonly directory: string | undefined;
  /** Below the mount `name=./f`, from the file system's root `name=/f`, without a directory `name=f`. */
  readonly text: string;
}

function recordOf(line: string, inodes: ReadonlyMap<string, string>): AuditRecord[] {
  const [, text] = /(type=180[0134568] audit\(.*)$/.exec(line) ?? [];
  if (text === undefined) return [];
  const { type, fields } = parseAuditLine(text);
  const { name = fields['file'] ?? '', ino = '' } = fields;
  const [, top, named] = /^(\/mnt)?\/([^/]+)\//.exec(name) ?? [];
  const directory = named ?? inodes.get(ino);
  const told = TOLD.filter((word) => fields[word] !== undefined).map((word) => {
    const value = (fields[word] ?? '').replace(
      `${top ?? ''}/${directory ?? ''}/`,
      top ? './' : '/',
    );
    return `${word}=${value}`;
  });
  return [{ directory, text: `${type} ${told.join(' ')}` }];
}

/** Records about the policy: those before the mark of a case are the case's. */
function policyRecords(scene: Scene, log: readonly string[]): AuditRecord[] {
  const marks = new Set(scene.cases.filter(({ line }) => line !== undefined).map(directoryOf));
  if (marks.size === 0) return [];
  const records: AuditRecord[] = [];
  let texts: string[] = [];
  const rules = policyOf(scene).length;
  let ofMark = rules === 0 ? 0 : rules + 1; // the scene's own rules are logged first
  for (const logged of log) {
    const line = logged.replace(/ mnt_ns=\d+/, ''); // our own addition
    const [, type = '', text = ''] = /type=(180[27]) audit\([^)]*\): (.*)$/.exec(line) ?? [];
    const directory = /^UNKNOWN=(\S+) res=0/.exec(text)?.[1] ?? '';
    if (marks.has(directory)) {
      records.push(...texts.map((it) => ({ directory, text: it })));
      texts = [];
      ofMark = RECORDS_OF_MARK;
    }
    if (type === '' || ofMark-- > 0) continue;
    texts.push(`${type} ${text.replace(/^pid=.*?(?= op=) /, '')}`);
  }
  return records;
}

/** The bad rule's words, that it is bad, and at the close that nothing was loaded. */
const RECORDS_OF_MARK = 3;

/** From `ls -iR .`: a file's inode number and the directory of its case. */
function directoriesByInode(lines: readonly string[]): Map<string, string> {
  const inodes = new Map<string, string>();
  let directory = '';
  for (const line of lines) {
    const [, below] = /^\.\/([^/]+).*:$/.exec(line) ?? [];
    const [, inode] = /^ *(\d+) /.exec(line) ?? [];
    if (below !== undefined) directory = below;
    else if (inode !== undefined) inodes.set(inode, directory);
  }
  return inodes;
}

/** An entry begins with a PCR and a template hash; a name may hold newlines. */
function listEntries(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : lines.join('\n').split(/\n(?=[ \d]\d [0-9a-f]{40} )/);
}

/** The parts of an answer, in the order in which a reader wants them. */
export const TELLING = ['steps', 'audit', 'list', 'labels'] as const;
