/** The small files of one word: active, mode, hash, template_name, tpm, and the two counters. */
import type { ErrnoName } from '../base/errno.js';
import { firstLine } from '../namespaces/first-line.js';
import { type OpenContext, type OpenFile, snapshot } from './virtual-file.js';

/** A file that shows one word. */
export const readWord =
  (word: (context: OpenContext) => string | number): OpenFile =>
  (context) =>
    snapshot(`${word(context)}\n`);

/** A file that takes one word. */
const writeWord =
  (
    set: (
      context: OpenContext,
      word: string,
    ) => Promise<ErrnoName | undefined> | ErrnoName | undefined,
  ): OpenFile =>
  (context) => ({
    write: async (data) => {
      const { text, taken } = firstLine(data);
      return (await set(context, text.trim())) ?? taken;
    },
  });

/** Everything but "1" is EINVAL and a second time is EBUSY, as in ima_write_active() (Berger, v15). */
export const writeActive = writeWord(({ namespace, caller, parts }, word) => {
  if (word !== '1') return 'EINVAL';
  return namespace.isActive ? 'EBUSY' : parts.lifecycle.activateSelf(caller);
});

export const writeMode = writeWord(({ namespace, parts }, word) =>
  parts.settings.setMode(namespace, word),
);

export const writeHash = writeWord(({ namespace, parts }, word) =>
  parts.settings.setHash(namespace, word),
);

export const writeTemplate = writeWord(({ namespace, parts }, word) =>
  parts.settings.setTemplate(namespace, word),
);

/** Whose `tpm` it is was decided at open; who writes it is decided now. */
export const writeTpm = writeWord(({ namespace, caller, parts }, word) =>
  parts.settings.setTpm(namespace, word, caller),
);
