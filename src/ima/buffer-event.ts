import { bankAlgorithms, bankHash } from './digest/bank-hash.js';
import type { HashAlgorithm } from './ports.js';
import { type EventData, NOTHING } from './template/field.js';

/** A measured buffer, for the template ima-buf (process_buffer_measurement, ima_main.c). */
export function bufferEvent(name: string, buffer: Uint8Array, preferred: HashAlgorithm): EventData {
  const algorithm = bankAlgorithms.includes(preferred) ? preferred : 'sha256';
  const digest = { algorithm, bytes: bankHash(algorithm, buffer) };
  return { ...NOTHING, name: Buffer.from(name), digest, defaultAlgorithm: algorithm, buffer };
}
