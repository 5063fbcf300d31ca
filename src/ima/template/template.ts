import { failure, type Result, success } from '../../base/result.js';
import type { Field } from './field.js';
import { fields } from './fields.js';

/** A template descriptor (struct ima_template_desc): what one line of the list is made of. */
export interface Template {
  /** As lists show it: the name, or the format of one that has no name. */
  readonly name: string;
  readonly fields: readonly Field[];
}

/** builtin_templates (ima_template.c) */
const BUILTIN: Readonly<Record<string, string>> = {
  ima: 'd|n',
  'ima-ng': 'd-ng|n-ng',
  'ima-sig': 'd-ng|n-ng|sig',
  'ima-ngv2': 'd-ngv2|n-ng',
  'ima-sigv2': 'd-ngv2|n-ng|sig',
  'ima-buf': 'd-ng|n-ng|buf',
  'ima-modsig': 'd-ng|n-ng|sig|d-modsig|modsig',
  'evm-sig': 'd-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode',
};

/** The template of old, whose form in lists and hashes is its own. */
export const IMA_TEMPLATE_IMA_NAME = 'ima';

/** IMA_TEMPLATE_NUM_FIELDS_MAX */
const MOST_FIELDS = 15;

const known = new Map<string, Template>();
for (const [name, format] of Object.entries(BUILTIN)) {
  const template = templateByFormat(format);
  if (template.ok) {
    known.set(name, { ...template.value, name });
  }
}

/** Names that ima_template= and template= take. */
export const templateNames: readonly string[] = [...known.keys()];

/** lookup_template_desc */
export function templateByName(name: string): Template | undefined {
  return known.get(name);
}

/** lookup_template_desc takes a template's fields for its name too. */
export function templateByBuiltinFormat(format: string): Template | undefined {
  const name = Object.keys(BUILTIN).find((one) => BUILTIN[one] === format);
  return name === undefined ? undefined : templateByName(name);
}

/** A template of its own, as ima_template_fmt= gives it: `d-ng|n-ng|sig`. The problem is a sentence. */
export function templateByFormat(format: string): Result<Template, string> {
  const ids = format.split('|');
  if (ids.length > MOST_FIELDS) {
    return failure(`a template has ${MOST_FIELDS} fields at most`);
  }
  const found: Field[] = [];
  for (const id of ids) {
    const field = fields.get(id);
    if (!field) {
      return failure(`there is no template field '${id}': use ${[...fields.keys()].join(', ')}`);
    }
    found.push(field);
  }
  return success({ name: format, fields: found });
}

/** The template that a list's line names: by name, or by the format of one without a name. */
export function templateOfLine(name: string): Template | undefined {
  const byName = templateByName(name);
  if (byName) {
    return byName;
  }
  const byFormat = templateByFormat(name);
  return byFormat.ok ? byFormat.value : undefined;
}
