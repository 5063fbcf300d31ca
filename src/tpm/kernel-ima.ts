/** Whether the kernel's own IMA extends PCR 10 of this machine's TPM. */
import { readFileSync } from 'node:fs';

/** securityfs; the second is the place since Linux 4.18, and the first a link to it. */
const COUNTS = ['ima', 'integrity/ima'].map(
  (directory) => `/sys/kernel/security/${directory}/runtime_measurements_count`,
);

/** False where securityfs is not mounted: nothing can be seen then. */
export const kernelImaIsActive = (): boolean =>
  COUNTS.some((path) => {
    try {
      return Number(readFileSync(path, 'latin1')) > 0;
    } catch {
      return false;
    }
  });
