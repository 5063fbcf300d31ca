import { shellWord } from '../base/shell-word.js';
import type { Rule } from './policy/rule.js';

/** A refusal, as far as whoever asks for its remedy knows it. */
export interface Refusal {
  /** Kernel string, or the reason why a measurement could not be had. */
  readonly cause: string;
  /** The file, as who was refused sees it. */
  readonly path: string;
  /** That refused. */
  readonly rule?: Pick<Rule, 'appraise_algos'> | undefined;
  /** The mount it happened on, if its control tree has the usual name. */
  readonly mountpoint?: string | undefined;
  /** Where the file can be read to be signed, if not at `path`: behind the mount. */
  readonly signPath?: string | undefined;
  /** Of the signature in security.ima, 8 hex digits. */
  readonly keyId?: string | undefined;
  /** Whether the keyring that was asked has that key. */
  readonly isKeyKnown?: boolean | undefined;
  /** Number of the mount namespace whose policy refused, if it is not the reader's own. */
  readonly judge?: number | undefined;
}

/** What to do next. */
export interface Remedy {
  /** No capital, no full stop. */
  readonly advice: string;
  /** For a shell. Words in capitals are the user's to fill in. */
  readonly command?: string;
}

type RemedyOf = (refusal: Refusal) => Remedy;

/** Option of `imafs label sign`. */
const VERITY = '--veritysig ';

const label = (advice: string): RemedyOf => {
  return ({ path }) => ({ advice, command: `imafs label hash ${shellWord(path)}` });
};

const sign = (advice: string, options = ''): RemedyOf => {
  return (refusal) => ({ advice, command: signCommand(refusal, options) });
};

const only = (advice: string): RemedyOf => {
  return () => ({ advice });
};

/** What is to be signed with EVM is signed behind the mount: its signature covers owner and mode. */
const signMetadata = (advice: string): RemedyOf => {
  return ({ path }) => ({
    advice,
    command: `evmctl sign --portable --imasig --key KEY ${shellWord(path)}`,
  });
};

/**
 * By cause: those of ima_appraise_measurement and its callers (ima_appraise.c, ima_main.c), then our own
 * where a measurement could not be had.
 */
const REMEDIES: Readonly<Record<string, RemedyOf>> = {
  'missing-hash': label('the file has no label; if it is as it should be'),
  'invalid-hash': label('the file is not what was labelled; if the change is wanted'),
  'unknown-ima-data': label('security.ima is of no known type; if the file is as it should be'),
  'IMA-signature-required': sign('the rule wants a signature, a digest will not do'),
  'IMA-sigv3-required': sign('the rule wants a signature of version 3', '--v3 '),
  'verity-signature-required': sign('the rule wants a signature of the fs-verity digest', VERITY),
  'invalid-signature': remedyOfSignature,
  'invalid-verity-signature': remedyOfSignature,
  'invalid-signature-version': sign('the signature is of a version that nobody verifies'),
  'no-verity-digest': ({ path }) => ({
    advice: 'the file has no fs-verity digest',
    command: `fsverity enable ${shellWord(path)}`,
  }),
  'missing-HMAC': signMetadata('security.evm is missing: nothing vouches for owner and mode'),
  'invalid-HMAC': signMetadata('security.evm does not fit: owner, mode or attributes were changed'),
  'invalid-fail-immutable': signMetadata(
    'owner, mode or attributes are not those that were signed: set them back, or sign anew',
  ),
  'unverifiable-signature': only(
    'the policy has fail_securely, and the file system below cannot be trusted: leave fail_securely' +
      ' out, or mount a directory that is not on FUSE',
  ),
  'denied-hash-algorithm': remedyOfAlgorithm,
  'unavailable-hash-algorithm': label('nobody here can compute the algorithm of that label'),
  'failed(directio)': only(
    'open the file without O_DIRECT, or write permit_directio into the rule',
  ),
  failed: only('the file could not be read: see the log of the daemon'),
  mmapped_writers: ({ path }) => ({
    advice: 'somebody has the file mapped for writing; who that is, says',
    command: `fuser -v ${shellWord(path)}`,
  }),
  'blacklisted-hash': only(
    'the file, or the key that signed it, is on the .blacklist: replace it by a version that is not',
  ),
  'signed-file': ({ path }) => ({
    advice: 'a signed file is not written to; to change it, take the signature away first',
    command: `imafs label clear ${shellWord(path)}`,
  }),
  'signed policy required': only(
    'the policy in force wants policies signed: sign the file, and write its path instead of rules',
  ),
  set_data: label('security.ima is set by root, to a digest or a signature'),
  ENOSPC: only(
    'the disk of the state directory is full: its measurement could not be written down',
  ),
  EDQUOT: only('the measurement list of the namespace is full: see limits in imafs status --json'),
  closed: only('there is no measurement list: see measurements in imafs status --json'),
};

const OF_THE_TPM: Remedy = {
  advice: 'the TPM did not take its measurement: see measurements in imafs status --json, and',
  command: 'imafs doctor',
};

/** What mends a refusal; undefined where nothing can be said. */
export function remedyOf(refusal: Refusal): Remedy | undefined {
  const { cause } = refusal;
  if (Object.hasOwn(REMEDIES, cause)) {
    return REMEDIES[cause]?.(refusal);
  }
  return cause.startsWith('TPM_error') || cause.includes('PCR') ? OF_THE_TPM : undefined;
}

/** In one line. */
export function remedyText({ advice, command }: Remedy): string {
  return command === undefined ? advice : `${advice}: ${command}`;
}

/** Another key's, or of other content; which of the two, only a look into the keyring tells. */
function remedyOfSignature(refusal: Refusal): Remedy {
  const { cause, keyId, isKeyKnown, judge, mountpoint } = refusal;
  const options = cause === 'invalid-verity-signature' ? VERITY : '';
  if (isKeyKnown === false) {
    const where = judge === undefined ? '' : `--ns ${judge} `;
    return {
      advice: `key ${keyId ?? 'of the signature'} is not in .ima; if it is to be trusted`,
      command: `imafs key add ${where}${shellWord(mountpoint ?? 'MOUNTPOINT')} CERTIFICATE`,
    };
  }
  const advice =
    isKeyKnown === true
      ? `the file is not what key ${keyId} signed; if the change is wanted`
      : 'the file is not what was signed, or the key is not in .ima (imafs key ls); to sign it anew';
  return { advice, command: signCommand(refusal, options) };
}

function remedyOfAlgorithm({ path, rule, mountpoint }: Refusal): Remedy {
  const [first, ...others] = rule?.appraise_algos ?? [];
  if (first === undefined) {
    return { advice: 'the policy does not take this hash algorithm: label the file with another' };
  }
  const advice = `the rule takes ${[first, ...others].join(', ')} only`;
  return mountpoint === undefined
    ? { advice: `${advice}: set that as hash of the namespace, and label the file again` }
    : {
        advice,
        command: `echo ${first} >${shellWord(`${mountpoint}/.ima/self/hash`)} && imafs label hash ${shellWord(path)}`,
      };
}

function signCommand({ path, signPath = path }: Refusal, options: string): string {
  return `imafs label sign ${options}--key KEY ${shellWord(signPath)}`;
}
