import { hashAlgorithmByName } from '../digest/hash-algorithms.js';
import { PROTECTED_XATTRS } from '../evm/protected-xattrs.js';
import type { Digest } from '../ports.js';
import {
  EVM_IMA_XATTR_DIGSIG,
  EVM_XATTR_PORTABLE_DIGSIG,
  IMA_VERITY_DIGSIG,
} from '../xattr/decode-xattr.js';
import type { EventData, Field } from './field.js';

const EMPTY = new Uint8Array();

/** IMA_EVENT_NAME_LEN_MAX: the field `n` has no room for more. */
const NAME_LENGTH_MAX = 255;

/** SHA1_DIGEST_SIZE: the room the field `d` makes where there is no digest. */
const LEGACY_DIGEST_BYTES = 20;

const NUL = 0;
const SPACE = 0x20;
const UNDERSCORE = 0x5f;

/** All fields the kernel knows (supported_fields, ima_template.c), by their ids. */
export const fields: ReadonlyMap<string, Field> = new Map(
  (
    [
      { id: 'd', form: 'digest', data: legacyDigest },
      { id: 'n', form: 'string', data: ({ name }) => string(legacyName(name)) },
      { id: 'd-ng', form: 'digest-with-algorithm', data: (event) => digestNg('', event) },
      { id: 'd-ngv2', form: 'digest-with-algorithm', data: digestNgV2 },
      { id: 'n-ng', form: 'string', data: ({ name }) => string(name) },
      { id: 'sig', form: 'hex', data: signature },
      { id: 'buf', form: 'hex', data: ({ buffer }) => buffer ?? EMPTY },
      { id: 'd-modsig', form: 'digest-with-algorithm', data: modsigDigest },
      { id: 'modsig', form: 'hex', data: ({ modsig }) => modsig?.message ?? EMPTY },
      { id: 'evmsig', form: 'hex', data: evmSignature },
      { id: 'iuid', form: 'uint', data: ({ inode }) => (inode ? uint(inode.uid, 4) : EMPTY) },
      { id: 'igid', form: 'uint', data: ({ inode }) => (inode ? uint(inode.gid, 4) : EMPTY) },
      { id: 'imode', form: 'uint', data: ({ inode }) => (inode ? uint(inode.mode, 2) : EMPTY) },
      { id: 'xattrnames', form: 'string', data: xattrNames },
      { id: 'xattrlengths', form: 'hex', data: xattrLengths },
      { id: 'xattrvalues', form: 'hex', data: xattrValues },
    ] satisfies Field[]
  ).map((field) => [field.id, field]),
);

/** ima_eventdigest_init_common: the digest, or as many zeros where an event has none. */
function legacyDigest({ legacyDigest: digest }: EventData): Uint8Array {
  return digest?.bytes ?? new Uint8Array(LEGACY_DIGEST_BYTES);
}

/** `sha256:` NUL digest */
function digestNg(prefix: string, { digest, defaultAlgorithm }: EventData): Uint8Array {
  const { algorithm, bytes }: Digest = digest ?? {
    algorithm: defaultAlgorithm,
    bytes: new Uint8Array(hashAlgorithmByName(defaultAlgorithm)?.digestBytes ?? 0),
  };
  return Buffer.concat([Buffer.from(`${prefix}${algorithm}:\0`), bytes]);
}

/** ima_eventdigest_ngv2_init */
function digestNgV2(event: EventData): Uint8Array {
  return digestNg(event.isVerity ? 'verity:' : 'ima:', event);
}

/** ima_eventdigest_modsig_init: nothing at all where there is no modsig. */
function modsigDigest(event: EventData): Uint8Array {
  return event.modsig ? digestNg('', { ...event, digest: event.modsig.digest }) : EMPTY;
}

/** ima_write_template_field_data: a NUL at the end, and every space is an underscore. */
function string(text: Uint8Array): Uint8Array {
  const data = new Uint8Array(text.length + 1);
  data.set(text.map((byte) => (byte === SPACE ? UNDERSCORE : byte)));
  data[text.length] = NUL;
  return data;
}

/** ima_eventname_init_common: of a longer path the last name alone. */
function legacyName(name: Uint8Array): Uint8Array {
  if (name.length <= NAME_LENGTH_MAX) {
    return name;
  }
  return name.subarray(name.lastIndexOf('/'.charCodeAt(0)) + 1).subarray(0, NAME_LENGTH_MAX);
}

/** ima_eventsig_init: where security.ima holds no signature, the portable one of security.evm. */
function signature(event: EventData): Uint8Array {
  const { imaXattr } = event;
  const type = imaXattr?.[0];
  return imaXattr && (type === EVM_IMA_XATTR_DIGSIG || type === IMA_VERITY_DIGSIG)
    ? imaXattr
    : evmSignature(event);
}

/** ima_eventevmsig_init */
function evmSignature({ xattrs }: EventData): Uint8Array {
  const evm = xattrs.get('security.evm');
  return evm?.[0] === EVM_XATTR_PORTABLE_DIGSIG ? evm : EMPTY;
}

function present({ xattrs }: EventData): string[] {
  return PROTECTED_XATTRS.filter((name) => xattrs.has(name));
}

/** evm_read_protected_xattrs, type 'n'; not even a NUL where there are none. */
function xattrNames(event: EventData): Uint8Array {
  const names = present(event);
  return names.length > 0 ? string(Buffer.from(names.join('|'))) : EMPTY;
}

/** Type 'l': little-endian 32 bit each. */
function xattrLengths(event: EventData): Uint8Array {
  const lengths = present(event).map((name) => uint(event.xattrs.get(name)?.length ?? 0, 4));
  return Buffer.concat(lengths);
}

/** Type 'v' */
function xattrValues(event: EventData): Uint8Array {
  return Buffer.concat(present(event).map((name) => event.xattrs.get(name) ?? EMPTY));
}

/** Little endian, as the kernel's on all machines we run on. */
function uint(value: number, bytes: 2 | 4): Uint8Array {
  const data = Buffer.alloc(bytes);
  data.writeUIntLE(value, 0, bytes);
  return data;
}
