/** The queue that extends PCRs (src/tpm) against a C loop over Esys_PCR_Extend, on one swtpm. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

import type { Tcti } from '../../src/tpm/tcti.js';
import type { ExtendOrder, Tpm } from '../../src/tpm/tpm.js';
import { openTss } from '../../src/tpm/tss.js';
import type { Programs } from './programs.js';
import { median, paired, print, verdict } from './report.js';

const ROUNDS = 7;
const EXTENDS = 4000;
/** What an entry of ima-ng takes in the journal. */
const ENTRY_BYTES = 280;
/** For tests, and zero at start as the list's own is. */
export const FREE_PCR = 16;
const SPEED = 0.9;

export async function benchExtends(
  work: string,
  tcti: Tcti,
  { extendloop }: Programs,
): Promise<void> {
  const tpm = await openTss(tcti);
  const journal = openSync(join(work, 'extend-journal'), 'a');
  const ours: number[] = [];
  const loop: number[] = [];
  try {
    // For code that is not compiled yet.
    await extendAll(tpm, journal);
    for (let round = 0; round < ROUNDS; round++) {
      const contestants = [
        async () => ours.push(await extendAll(tpm, journal)),
        () => loop.push(extendloop(tcti.name, FREE_PCR, EXTENDS)),
      ];
      if (round % 2 === 1) contestants.reverse();
      for (const measure of contestants) await measure();
    }
  } finally {
    closeSync(journal);
    await tpm.close();
  }
  const speed = paired(loop, ours, (ofLoop, ofOurs) => ofLoop / ofOurs);
  print(
    `\nextends of ${tpm.banks.length} banks on one swtpm, each journalled first by imafs alone`,
  );
  print(`  C loop           ${median(loop).toFixed(1).padStart(8)} us each`);
  print(`  imafs queue      ${median(ours).toFixed(1).padStart(8)} us each`);
  print(`  speed ${speed.toFixed(2)} of the C loop, ${verdict(speed >= SPEED, `>= ${SPEED}`)}`);
}

/** Microseconds that one takes if there is always another one waiting. */
async function extendAll(tpm: Tpm, fd: number): Promise<number> {
  const lengths = [20, 32, 48, 64];
  const bytes = Buffer.alloc(ENTRY_BYTES, 'entry');
  const orders: ExtendOrder[] = Array.from({ length: EXTENDS }, (_, index) => ({
    pcr: FREE_PCR,
    digests: tpm.banks.map((_bank, bank) => Buffer.alloc(lengths[bank] ?? 0, String(index))),
    journal: { fd, bytes },
  }));
  const start = performance.now();
  await Promise.all(orders.map((order) => tpm.extend(order)));
  return ((performance.now() - start) / EXTENDS) * 1000;
}
