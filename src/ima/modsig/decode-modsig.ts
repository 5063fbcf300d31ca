/** Where a signature appended to a file is (include/linux/module_signature.h). */

/** What ends a file with an appended signature. */
const MARKER = Buffer.from('~Module signature appended~\n');
/** struct module_signature: algo, hash, id_type, signer_len, key_id_len, pad (3), sig_len (4, big endian). */
const TRAILER_BYTES = 12;
const PKEY_ID_PKCS7 = 2;

/** Bytes at a file's end that say whether a signature is appended to it. */
export const MODSIG_TAIL_BYTES = MARKER.length + TRAILER_BYTES;

export interface ModsigPlace {
  /** The content that the signature is over ends here, and the PKCS#7 message begins. */
  readonly contentBytes: number;
  readonly messageBytes: number;
}

/**
 * ima_read_modsig and mod_check_sig: `tail` is the file's last bytes, MODSIG_TAIL_BYTES of them. Takes
 * any bytes; undefined where there is no appended signature, or one that is not PKCS#7.
 */
export function decodeModsig(tail: Uint8Array, fileBytes: number): ModsigPlace | undefined {
  if (
    tail.length !== MODSIG_TAIL_BYTES ||
    Buffer.compare(tail.subarray(TRAILER_BYTES), MARKER) !== 0
  ) {
    return undefined;
  }
  const [algo, hash, idType, signerBytes, keyIdBytes, ...padding] = tail.subarray(0, 8);
  const isForeign = [algo, hash, signerBytes, keyIdBytes, ...padding].some((byte) => byte !== 0);
  const messageBytes = new DataView(tail.buffer, tail.byteOffset).getUint32(8);
  const contentBytes = fileBytes - MODSIG_TAIL_BYTES - messageBytes;
  return idType === PKEY_ID_PKCS7 && !isForeign && messageBytes > 0 && contentBytes > 0
    ? { contentBytes, messageBytes }
    : undefined;
}
