import { createRequire } from 'node:module';

// Types may come from the binding: this line is allowed.
import type { addon } from '../binding/addon.js';

export const loaded: typeof addon = createRequire(import.meta.url)('../native/imafs.node');
console.log(loaded);
