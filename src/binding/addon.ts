/** The only door to native/: loads the built addon and checks that it is the one this code speaks to. */
import { createRequire } from 'node:module';
import type { Addon } from './addon-types.js';

/** Moves with every change of addon-types.ts that an older build would misunderstand. */
export const ADDON_ABI = 9;

/** From dist/src/binding/, in the source tree as where it is installed. */
const ADDON_FILE = '../../../native/build/Release/imafs.node';

/** Also usable from worker threads. Throws an Error that says what to do. */
export const loadAddon = (): Addon => {
  const require = createRequire(import.meta.url);
  const file = require.resolve(ADDON_FILE);
  const addon = require(file) as Addon;
  if (addon.abi !== ADDON_ABI) {
    throw new Error(`${file} has ABI ${addon.abi}, ${ADDON_ABI} is needed: run "make build"`);
  }
  return addon;
};
