import { remedyOf, remedyText } from '../ima/remedy.js';
import type { ControlClient } from './control-client.js';
import type { Denial } from './denials.js';
import type { LabelFacts } from './label-facts.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import { UserError } from './user-error.js';

/**
 * A refusal with the remedy that fits what is known besides: which key the signature names, and whether
 * the keyring of the namespace that refused has it.
 */
export function mendedDenial(
  client: ControlClient,
  denial: Denial,
  label: LabelFacts,
  own: number,
  controlName: string | undefined,
): Denial {
  const { cause, path, judge, rule } = denial;
  const algorithms = /(?<= |^)appraise_algos=(\S+)/.exec(rule?.text ?? '')?.[1]?.split(',');
  const isUsual = (controlName ?? MOUNT_OPTIONS.control.default) === MOUNT_OPTIONS.control.default;
  const remedy = remedyOf({
    cause,
    path,
    rule: { ...(algorithms && { appraise_algos: algorithms }) },
    mountpoint: isUsual ? client.mount.mountpoint : undefined,
    keyId: label.keyid,
    isKeyKnown: label.keyid === undefined ? undefined : hasKey(client, judge, label.keyid),
    judge: judge === own ? undefined : judge,
  });
  if (remedy === undefined) return denial;
  const { command } = remedy;
  return { ...denial, hint: remedyText(remedy), ...(command === undefined ? {} : { command }) };
}

/** Undefined: only root of that namespace may look. */
function hasKey(client: ControlClient, judge: number, keyId: string): boolean | undefined {
  try {
    const lines = client.read(`${judge}/keys/.ima`).split('\n');
    return lines.some((line) => line.startsWith(`${keyId} `));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
