/** All scenes. */
import type { Scene } from './case.js';
import { combinations } from './cases/combinations.js';
import { conditions } from './cases/conditions.js';
import { hooks } from './cases/hooks.js';
import { labels } from './cases/labels.js';
import { life } from './cases/life.js';
import { measuring } from './cases/measuring.js';
import { policyFile } from './cases/policy-file.js';
import { policyLines } from './cases/policy-lines.js';
import { signatures } from './cases/signatures.js';
import { violations } from './cases/violations.js';
import { xattrs } from './cases/xattrs.js';

export const SCENES: readonly Scene[] = [
  ...labels,
  ...measuring,
  ...violations,
  ...hooks,
  ...conditions,
  ...combinations,
  ...life,
  ...xattrs,
  ...signatures,
  ...policyLines,
  ...policyFile,
];
