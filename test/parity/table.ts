/** All scenes. */
import type { Scene } from './case.js';
import { labels } from './cases/labels.js';
import { measuring } from './cases/measuring.js';
import { violations } from './cases/violations.js';

export const SCENES: readonly Scene[] = [...labels, ...measuring, ...violations];
