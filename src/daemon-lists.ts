/** The part of the composition root that is about measurement lists and their TPMs. */
import type { Log } from './base/log.js';
import type { Addon } from './binding/addon-types.js';
import type { MeasurementStatus } from './control/status-report.js';
import { type DaemonOptions, StartProblem } from './daemon-options.js';
import { createIma, type Ima } from './ima/ima.js';
import type { Keyring } from './ima/keyring/keyring.js';
import type { Lists } from './lists/lists.js';
import { startLists } from './lists/start-lists.js';
import { LIMITS, type Namespace } from './namespaces/namespace.js';
import type { SystemNamespace } from './namespaces/system-namespace.js';
import { TpmNameProblem } from './tpm/claim-tpm.js';

/** The IMA of a namespace, with a list that is still closed. */
export type MakeIma = (owner: {
  readonly id: bigint;
  readonly isSystem: boolean;
  readonly uid: () => number | undefined;
  readonly began: (id: bigint) => void;
}) => Ima;

export const imaMaker = (
  options: DaemonOptions,
  lists: Lists,
  keyringOf: (owner: { readonly isSystem: boolean }) => Keyring,
): MakeIma => {
  const mode = options.appraise === 'enforce_ns' ? 'enforce' : options.appraise;
  return ({ id, isSystem, uid, began }) => {
    const list = lists.create({ id, isSystem, uid, ima: () => ima, began: () => began(id) });
    const ima = createIma({
      mode,
      hashAlgorithm: options.imaHash,
      template: options.imaTemplate,
      pcr: options.pcr,
      list,
      keyring: keyringOf({ isSystem }),
      iintCapacity: LIMITS.iints,
    });
    return ima;
  };
};

export const openLists = (options: DaemonOptions, addon: Addon, log: Log): Lists => {
  const { stateDirectory, pcr, tpmRequired } = options;
  const lives = (id: bigint) => addon.namespaceLives(id);
  const { listEntries: mostEntries, ownersListBytes: mostOwnersBytes } = LIMITS;
  try {
    const limits = { mostEntries, mostOwnersBytes };
    return startLists({ stateDirectory, pcr, tpmRequired, ...limits, lives, addon, log });
  } catch (error) {
    throw new StartProblem(
      'state',
      `state directory ${stateDirectory}: ${(error as Error).message}`,
    );
  }
};

/** Nothing is measured before the list is there. */
export const openSystemList = async (
  { tpm, tpmRequired }: DaemonOptions,
  lists: Lists,
  { scope }: SystemNamespace,
): Promise<void> => {
  try {
    await lists.open(scope, tpm);
  } catch (error) {
    const about = error instanceof TpmNameProblem ? 'tpm-name' : 'tpm';
    throw new StartProblem(about, (error as Error).message);
  }
  if (tpmRequired && lists.of(scope)?.tpm?.name === 'none') {
    throw new StartProblem('tpm', `tpm=${tpm} gives no TPM, and tpm_required wants one`);
  }
};

export const measurementStatus = (
  { id, isActive, ima }: Namespace,
  lists: Lists,
): MeasurementStatus | undefined => {
  const list = isActive ? lists.of(id) : undefined;
  if (list === undefined) return undefined;
  return {
    count: list.current?.count ?? 0,
    violations: list.current?.violations ?? 0,
    template: ima.template.name,
    tpm: list.tpm?.name ?? 'none',
    state: list.standing,
    extended: list.extended,
    problem: list.problem,
  };
};
