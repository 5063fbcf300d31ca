import type { ActionFamily, Rule } from '../ima/policy/rule.js';
import type { Digest } from '../ima/ports.js';
import { remedyOf, remedyText } from '../ima/remedy.js';
import type { JsonValue, Output, Style } from './output.js';
import type { FileTrial } from './policy-test-files.js';
import { printable } from './printable.js';
import { placedRule, ruleText } from './rule-text.js';
import type { AccessTrial } from './try-access.js';

type Verdict = 'refused' | 'unclear' | 'failed' | 'allowed' | 'no-rule';

/** In the order in which they are told. */
const VERDICTS: readonly Verdict[] = ['refused', 'unclear', 'failed', 'allowed', 'no-rule'];

const STYLES: Readonly<Record<Verdict, Style>> = {
  refused: 'red',
  unclear: 'yellow',
  failed: 'yellow',
  allowed: 'green',
  'no-rule': 'dim',
};

const DONE: Readonly<Record<ActionFamily, string>> = {
  measure: 'measured',
  appraise: 'appraised',
  audit: 'audited',
  hash: 'hashed',
};
const FAMILIES = Object.keys(DONE) as ActionFamily[];

/** Refusals first, then what nobody can say, then the rest, and how many there are of each. */
export function showFileTrials(
  output: Output,
  files: readonly FileTrial[],
  quiet: boolean,
): { readonly refused: number; readonly failed: number } {
  const verdicts = files.map((file) => ({ file, verdict: verdictOf(file) }));
  for (const wanted of VERDICTS) {
    for (const { file, verdict } of verdicts) {
      if (verdict !== wanted) continue;
      const isSilent = quiet && (verdict === 'allowed' || verdict === 'no-rule');
      output.result(
        'file',
        fileJson(file, verdict),
        isSilent ? undefined : text(output, file, verdict),
      );
    }
  }
  const count = (wanted: Verdict): number =>
    verdicts.filter(({ verdict }) => verdict === wanted).length;
  const [refused, unclear, failed] = [count('refused'), count('unclear'), count('failed')];
  const [allowed, withoutRule] = [count('allowed'), count('no-rule')];
  const done = Object.fromEntries(
    FAMILIES.map((family) => [DONE[family], files.filter((file) => isDone(file, family)).length]),
  );
  output.result(
    'summary',
    { files: files.length, refused, unclear, failed, allowed, withoutRule, ...done },
    [
      `${files.length} files: ${refused} refused, ${unclear} unclear, ${failed} not looked at, ` +
        `${allowed} allowed, ${withoutRule} without a rule`,
      `of these ${FAMILIES.map((family) => `${done[DONE[family]]} ${DONE[family]}`).join(', ')}`,
      ...hints(files),
    ].join('\n'),
  );
  return { refused, failed };
}

function verdictOf({ trials, problem }: FileTrial): Verdict {
  if (problem !== undefined) return 'failed';
  const worst = (['refused', 'unclear'] as const).find((wanted) =>
    trials.some(({ verdict }) => verdict === wanted),
  );
  if (worst !== undefined) return worst;
  return trials.some(({ rules }) => Object.keys(rules).length > 0) ? 'allowed' : 'no-rule';
}

function isDone({ trials }: FileTrial, family: ActionFamily): boolean {
  return trials.some(({ rules }) => rules[family] !== undefined);
}

/** What is said of several accesses alike is said once. */
function text(output: Output, { path, trials, problem }: FileTrial, verdict: Verdict): string {
  const shown = `${output.style(STYLES[verdict], verdict.padEnd(8))} ${printable(path)}`;
  if (problem !== undefined) return `${shown}: ${problem}`;
  const accessesBySentence = new Map<string, string[]>();
  for (const trial of trials) {
    const sentence = sentenceOf(trial);
    accessesBySentence.set(sentence, [...(accessesBySentence.get(sentence) ?? []), trial.access]);
  }
  const lines = [...accessesBySentence].map(([sentence, accesses]) =>
    sentence === '' ? '' : `\n    ${accesses.join(', ')}: ${sentence}`,
  );
  return `${shown}${lines.join('')}`;
}

function sentenceOf({ verdict, cause, rule, rules }: AccessTrial): string {
  const done = FAMILIES.flatMap((family) => {
    const by = rules[family];
    return by === undefined || by === rule ? [] : [`${DONE[family]} by ${ruleText(by)}`];
  });
  const why = rule === undefined ? '' : ` by ${ruleText(rule)}`;
  const outcome = verdict === 'allowed' ? [] : [`${verdict}: ${cause}${why}`];
  return [...outcome, ...done].join('; ');
}

function fileJson(file: FileTrial, verdict: Verdict): Record<string, JsonValue | undefined> {
  const { path, trials, problem, keyId } = file;
  const remedy = remedies(file)[0];
  return {
    path,
    verdict,
    keyid: keyId,
    message: problem,
    accesses: trials.map(({ access, verdict: of, cause, rule, rules, found, wanted }) => ({
      access,
      verdict: of,
      cause,
      rule: placedRule(rule),
      ...Object.fromEntries(FAMILIES.map((family) => [family, placedRule(rules[family])])),
      digestFound: digestText(found),
      digestWanted: digestText(wanted),
    })),
    hint: remedy && remedyText(remedy),
    command: remedy?.command,
  };
}

function digestText(digest: Digest | undefined): string | undefined {
  return digest && `${digest.algorithm}:${Buffer.from(digest.bytes).toString('hex')}`;
}

function remedies({ path, trials, keyId }: FileTrial): { advice: string; command?: string }[] {
  return trials.flatMap(({ verdict, cause, rule }) => {
    if (verdict !== 'refused' || cause === undefined) return [];
    const remedy = remedyOf({ cause, path, rule, keyId });
    return remedy === undefined ? [] : [remedy];
  });
}

/** For each cause the remedy of the first file that has it. */
function hints(files: readonly FileTrial[]): string[] {
  const firsts = new Map<string, { readonly file: FileTrial; readonly rule: Rule | undefined }>();
  for (const file of files) {
    for (const { verdict, cause, rule } of file.trials) {
      if (verdict === 'refused' && cause !== undefined && !firsts.has(cause)) {
        firsts.set(cause, { file, rule });
      }
    }
  }
  return [...firsts].flatMap(([cause, { file, rule }]) => {
    const remedy = remedyOf({ cause, path: file.path, rule, keyId: file.keyId });
    return remedy === undefined ? [] : [`  hint: ${cause}: ${printable(remedyText(remedy))}`];
  });
}
