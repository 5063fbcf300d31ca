import { createLog } from '../../../src/base/log.js';
import { Settings, type SettingsParts } from '../../../src/namespaces/settings.js';
import type { NamespaceFixture } from './fixture.js';

/** Settings over a registry of fakes; any TPM will do unless `parts` says otherwise. */
export const settingsOf = (
  { registry }: NamespaceFixture,
  parts: Partial<SettingsParts> = {},
): Settings =>
  new Settings({
    registry,
    canHash: (algorithm) => algorithm === 'sha512',
    machineHasTpm: () => false,
    changeTpm: () => Promise.resolve(true),
    log: createLog('silent'),
    ...parts,
  });
