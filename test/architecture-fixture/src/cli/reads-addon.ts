import { constants } from 'node:os';

import { addon } from '../binding/addon.js';

export const numbers = [addon, constants.errno];
process.exit(1);
