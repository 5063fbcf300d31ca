/** Reads a signature that is appended to a file, as kernel modules have it (ima_read_modsig). */
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { decodeModsig, MODSIG_TAIL_BYTES } from '../ima/modsig/decode-modsig.js';
import type { AppendedSignature } from '../ima/ports.js';
import { PKCS7_BYTES_MAX, parsePkcs7 } from '../keys/pkcs7.js';
import { isModuleSignature, verifyPkcs7 } from '../keys/verify-pkcs7.js';

const readAsync = promisify(read);

/** `digestOf`: of the first so many bytes. Undefined where there is none that can be read as one. */
export const readAppendedSignature = async (
  fd: number,
  fileBytes: number,
  digestOf: (algorithm: string, sizeBytes: number) => Promise<Uint8Array>,
): Promise<AppendedSignature | undefined> => {
  const tail = await readAt(fd, fileBytes - MODSIG_TAIL_BYTES, MODSIG_TAIL_BYTES);
  const place = tail && decodeModsig(tail, fileBytes);
  if (place === undefined || place.messageBytes > PKCS7_BYTES_MAX) return undefined;
  const message = await readAt(fd, place.contentBytes, place.messageBytes);
  const parsed = message && parsePkcs7(message);
  if (!message || !parsed?.ok) return undefined;
  const algorithm = parsed.value.digestAlgorithm;
  const digest = { algorithm, bytes: await digestOf(algorithm, place.contentBytes) };
  return {
    message,
    digest,
    verify: (keyring) =>
      isModuleSignature(parsed.value) && verifyPkcs7(parsed.value, digest.bytes, keyring),
  };
};

const readAt = async (fd: number, at: number, sizeBytes: number): Promise<Buffer | undefined> => {
  if (at < 0) return undefined;
  const { buffer, bytesRead } = await readAsync(fd, Buffer.alloc(sizeBytes), 0, sizeBytes, at);
  return bytesRead === sizeBytes ? buffer : undefined;
};
