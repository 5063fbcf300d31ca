/** The TPM that a `tpm` setting names, for one list alone: one (TPM, PCR) has one list. */
import { createHash } from 'node:crypto';
import { errnoOf } from '../base/errno.js';
import type { Log } from '../base/log.js';
import { type NamedLockAddon, takeNamedLock } from '../base/named-lock.js';
import { kernelImaIsActive } from './kernel-ima.js';
import {
  endingWith,
  openTpm,
  parseTpmChoice,
  type SettledTpmChoice,
  settleTpmChoice,
} from './open-tpm.js';
import type { Tpm } from './tpm.js';

/** What is written there names no TPM; `code` for a control file. */
export class TpmNameProblem extends Error {
  readonly code = 'EINVAL';
}

/** Another list goes to this PCR; `code` for a control file. */
export class TpmClaimed extends Error {
  readonly code = 'EBUSY';
}

export interface ClaimParts {
  readonly pcr: number;
  /** For what a TPM of our own keeps. */
  readonly swtpmDirectory: string;
  readonly addon: NamedLockAddon;
  readonly log: Log;
}

/** `name`: none, auto, swtpm, or a string of a TPM. Rejects with an Error that says what is wrong. */
export const claimTpm = async (name: string, parts: ClaimParts): Promise<Tpm> => {
  const choice = parseTpmChoice(name);
  if (!choice.ok) throw new TpmNameProblem(choice.problem);
  const settled = settleTpmChoice(choice.value);
  const release = claim(settled, parts);
  try {
    return endingWith(await openTpm(settled, { ...parts, kernelImaIsActive }), release);
  } catch (error) {
    release();
    throw error;
  }
};

/** Takes the lock; what gives it back, once. There is none for what nobody else can have. */
const claim = (choice: SettledTpmChoice, { pcr, addon }: ClaimParts): (() => void) => {
  if (choice === 'none' || choice === 'swtpm') return () => undefined;
  const name = createHash('sha256').update(choice.identity).digest('hex').slice(0, 32);
  try {
    return takeNamedLock(`tpm-${name}-${pcr}`, addon);
  } catch (error) {
    if (errnoOf(error) !== 'EAGAIN' && errnoOf(error) !== 'EWOULDBLOCK') throw error;
    throw new TpmClaimed(
      `PCR ${pcr} of ${choice.name} has a list already, of another mount or namespace`,
    );
  }
};
