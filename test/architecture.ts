import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

import { DOORS, IMA_WORDS, IMPORT_RULES, IMPURE_MODULES } from './import-rules.js';

/** Everything in a tree like ours (src/, native/) that breaks the architecture, one line each. */
export function architectureProblems(root: string): string[] {
  const source = join(root, 'src');
  const problems = filesBelow(source, /\.ts$/).flatMap((path) => {
    const text = readFileSync(join(source, path), 'utf8');
    return [...importProblems(path, text), ...doorProblems(path, text)];
  });
  return [...problems, ...nativeProblems(join(root, 'native'))];
}

function importProblems(path: string, text: string): string[] {
  const part = partOf(path);
  const rule = IMPORT_RULES[part];
  if (rule === undefined) return [`src/${path}: '${part}' has no rule in test/import-rules.ts`];
  return importsOf(text).flatMap(({ target, isType }) => {
    if (!target.startsWith('.')) {
      return part === 'ima' && IMPURE_MODULES.test(target)
        ? [`src/${path} imports ${target}: ${rule.why}`]
        : [];
    }
    const to = partOf(normalize(join(dirname(path), target)).replace(/\.js$/, '.ts'));
    const allowed = isType ? [part, ...rule.may, ...(rule.mayTypes ?? [])] : [part, ...rule.may];
    return allowed.includes(to) ? [] : [`src/${path} imports ${target}: ${rule.why}`];
  });
}

/** A directory of src/, or the name of a file at its top. */
function partOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.ts$/, '');
}

function importsOf(text: string): { target: string; isType: boolean }[] {
  const found: { target: string; isType: boolean }[] = [];
  const statement =
    /^\s*(?:import|export)\s+(type\s)?([\w\s{},*$]*?)\s*\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/gm;
  for (const [, type, names = '', named, whole] of text.matchAll(statement)) {
    const target = named ?? whole ?? '';
    found.push({ target, isType: type !== undefined || areAllTypes(names) });
  }
  return found;
}

/** `{ type A, type B }` */
function areAllTypes(names: string): boolean {
  const listed = /^\{(.*)\}$/s.exec(names.trim())?.[1]?.split(',') ?? [];
  const used = listed.map((name) => name.trim()).filter((name) => name !== '');
  return used.length > 0 && used.every((name) => name.startsWith('type '));
}

function doorProblems(path: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return DOORS.filter(({ pattern, at }) => !at.includes(path) && pattern.test(code)).map(
    ({ what, at }) => `src/${path} uses ${what}: only ${at.join(', ')} may`,
  );
}

function nativeProblems(native: string): string[] {
  return filesBelow(native, /\.(cpp|hpp)$/).flatMap((path) =>
    readFileSync(join(native, path), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        IMA_WORDS.test(line)
          ? [`native/${path}:${index + 1} has a word of IMA: ${line.trim()}`]
          : [],
      ),
  );
}

function filesBelow(directory: string, name: RegExp): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('build/'))
    .sort();
}
