import { fileURLToPath } from 'node:url';

/** Root of the repository: this file runs as dist/test/helpers/project.js. */
export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** The command as tests run it: `node dist/src/main.js`. */
export const IMAFS: readonly string[] = [process.execPath, `${PROJECT}dist/src/main.js`];
