import { readFileSync } from 'node:fs';

import { addon } from '../binding/addon.js';

export const impure = [readFileSync, addon];
