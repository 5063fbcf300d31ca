import { success } from '../../base/result.js';
import { hashAlgorithms } from '../digest/hash-algorithms.js';
import { templateByBuiltinFormat, templateByName, templateNames } from '../template/template.js';
import { type Condition, complain, unknownWord } from './condition.js';
import type { AppraiseType, Rule } from './rule.js';

/** measured_pcrs of struct ima_iint_cache has a bit for each (INVALID_PCR, ima_policy.c). */
const PCRS = 64;

export const pcr: Condition = {
  name: 'pcr',
  comparisons: ['='],
  repeatable: true,
  parse: (value) => {
    // kstrtoint: a sign may stand before zero too
    const number = /^(\+?[0-9]+|-0+)$/.test(value) ? Math.abs(Number(value)) : Number.NaN;
    return number < PCRS
      ? success({ pcr: number })
      : complain(`'${value}' is not a PCR`, `pcr takes a decimal number below ${PCRS}`);
  },
  show: (rule) => (rule.pcr === undefined ? undefined : `pcr=${rule.pcr}`),
};

export const template: Condition = {
  name: 'template',
  comparisons: ['='],
  after: 'measure',
  parse: (value) => {
    const known = templateByName(value) ?? templateByBuiltinFormat(value);
    return known
      ? success({ template: known.name })
      : unknownWord('template', value, templateNames);
  },
  show: (rule) => rule.template && `template=${rule.template}`,
};

export const keyrings: Condition = list('keyrings');

export const label: Condition = list('label');

/** ima_parse_appraise_algos: kernel names, in whatever order, shown by their ids. */
export const appraiseAlgos: Condition = {
  name: 'appraise_algos',
  comparisons: ['='],
  parse: (value, _, __, machine) => {
    const names = value.split(',');
    const known = hashAlgorithms.map(({ name }) => name);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      return unknownWord('appraise_algos', unknown, known);
    }
    const unavailable = names.find((name) => !machine.canHash(name));
    if (unavailable !== undefined) {
      return complain(`hash algorithm ${unavailable} is not available`, 'leave it out');
    }
    return success({ appraise_algos: known.filter((name) => names.includes(name)) });
  },
  show: (rule) => rule.appraise_algos && `appraise_algos=${rule.appraise_algos.join(',')}`,
};

const APPRAISE_TYPES: readonly AppraiseType[] = ['imasig', 'sigv3', 'imasig|modsig'];

/** What the type demands is added to what an earlier one demanded, as by the kernel's flags. */
export const appraiseType: Condition = {
  name: 'appraise_type',
  comparisons: ['='],
  repeatable: true,
  parse: (value, _, rule) => {
    const type = APPRAISE_TYPES.find((known) => known === value);
    if (type === undefined) {
      return unknownWord('appraise_type', value, APPRAISE_TYPES);
    }
    if (rule.digest_type && type !== 'sigv3') {
      return complain(`digest_type=verity needs appraise_type=sigv3`, 'write appraise_type=sigv3');
    }
    const before = rule.appraise_type ?? 'imasig';
    if (before !== 'imasig' && type !== 'imasig' && before !== type) {
      return complain(`appraise_type is ${before} already`, 'write two rules');
    }
    return success({ appraise_type: type === 'imasig' ? before : type });
  },
  show: (rule) => rule.appraise_type && `appraise_type=${rule.appraise_type}`,
};

export const digestType: Condition = {
  name: 'digest_type',
  comparisons: ['='],
  repeatable: true,
  parse: (value) =>
    value === 'verity'
      ? success({ digest_type: 'verity' })
      : unknownWord('digest_type', value, ['verity']),
  show: (rule) => rule.digest_type && `digest_type=${rule.digest_type}`,
};

/** check_blacklist of old, which every signature is subject to now: any value is taken, and ignored. */
export const appraiseFlag: Condition = {
  name: 'appraise_flag',
  comparisons: ['='],
  repeatable: true,
  parse: () => success({}),
  show: () => undefined,
};

export const permitDirectio: Condition = {
  name: 'permit_directio',
  comparisons: [],
  repeatable: true,
  parse: () => success({ permit_directio: true }),
  show: (rule) => rule.permit_directio && 'permit_directio',
};

/** ima_alloc_rule_opt_list: names between '|', none of them empty. */
function list(name: 'keyrings' | 'label'): Condition {
  const show = (rule: Rule): string | undefined => rule[name] && `${name}=${rule[name].join('|')}`;
  return {
    name,
    comparisons: ['='],
    parse: (value) => {
      const names = value.split('|');
      return names.includes('')
        ? complain(`'${value}' has an empty name`, `${name} takes names with '|' between them`)
        : success({ [name]: names });
    },
    show,
  };
}
