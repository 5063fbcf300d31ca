/**
 * The table's vocabulary. A scene is one boot of a kernel and one mount of imafs; a case is a few files
 * under rules of their own, and what is done to them. Cases of a scene do not touch each other: each has
 * a directory and an owner of its own, and its rules name that owner as $O.
 */
import { createHash } from 'node:crypto';

export interface Scene {
  /** Also the name of its file of captured answers. */
  readonly name: string;
  /** ima_appraise= of the boot and of the mount. */
  readonly mode?: 'enforce' | 'log' | 'fix' | 'off';
  /** ima_hash= */
  readonly hash?: string;
  /** ima_template= */
  readonly template?: string;
  /** What is mounted where the files are; ext4 unless said otherwise. */
  readonly fileSystem?: 'ext4' | 'tmpfs';
  /** The keys of signatures.ts are in the keyring. */
  readonly hasKeys?: boolean;
  /** The oracle's kernel that answers; `custom` is 6.12 with a policy that can be read. */
  readonly kernel?: 'custom' | '7.3';
  /** Rules before those of the cases. */
  readonly rules?: readonly string[];
  readonly cases: readonly Case[];
}

export interface Case {
  /** A sentence, unique in all the table. */
  readonly name: string;
  /** $O stands for the owner of the case's files. */
  readonly rules?: readonly string[];
  readonly files?: Readonly<Record<string, FileSpec>>;
  /** The line of a policy that is all the case is about; it has no directory then. */
  readonly line?: string;
  /**
   * Operations of xt (test/helpers/programs), a process for each step, in the case's directory; or a
   * command of the shell behind `! `. %XX is a character, $IMA the control tree, $D the directory.
   */
  readonly steps: readonly string[];
  /** Files the steps make, whose security.ima is looked at in the end as that of the others. */
  readonly makes?: readonly string[];
}

export interface FileSpec {
  /** Text, or the smallest program there is. */
  readonly content?: string | Uint8Array;
  /** The case's own owner unless given; its group is the same. */
  readonly owner?: number;
  readonly group?: number;
  readonly mode?: number;
  /** security.ima in hex; none unless given. */
  readonly label?: string;
  /** security.evm in hex */
  readonly evm?: string;
}

/** The user the steps become with `as`, other than root. */
export const USER = 1000;

export const asUser = (operations: string): string => `as ${USER} ${USER} , ${operations}`;

/** The case's directory on either side: unique, and without a byte that some list would change. */
export function directoryOf({ name, line }: Case): string {
  if (line !== undefined) return `line-${hashOf(line).toString('hex', 0, 6)}`;
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

const FIRST_OWNER = 10_000;
const OWNERS = 50_000;

/** The same as long as the rules are, so that a new case moves no other. */
export function ownerOf({ rules = [] }: Case): number {
  return FIRST_OWNER + (hashOf(rules.join('\n')).readUInt32LE() % OWNERS);
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The scene's policy: its own rules, then those of the cases, each set once. */
export function policyOf(scene: Scene): string[] {
  const sets = new Map<number, string>();
  for (const it of scene.cases) {
    const { rules = [] } = it;
    const [owner, text] = [ownerOf(it), rules.join('\n')];
    if ((sets.get(owner) ?? text) !== text) throw new Error(`two sets of rules are ${owner}'s`);
    sets.set(owner, text);
  }
  const rules = [...sets].flatMap(([owner, text]) =>
    text === '' ? [] : text.replaceAll('$O', String(owner)).split('\n'),
  );
  return [...(scene.rules ?? []), ...rules];
}
