/**
 * The switch that forces the fallbacks for older kernels. What the daemon finds out, by INIT and by
 * ioctl(2), is changed on its way to it (programs/old-kernel.c); the daemon itself has no switch.
 */
import { program } from './programs.js';

/** Before passthrough and INIT's second word of flags; before passthrough; before namespace ids. */
export const OLD_KERNELS = ['5.15', '6.8', '6.10'] as const;
export type OldKernel = (typeof OLD_KERNELS)[number];

/** Of the run as a whole: `IMAFS_TEST_KERNEL=5.15 node dist/test/run-tests.js`. */
export const testKernel = (): OldKernel | undefined => {
  const wanted = process.env['IMAFS_TEST_KERNEL'] ?? '';
  if (wanted === '') return undefined;
  const known = OLD_KERNELS.find((version) => version === wanted);
  if (known === undefined) throw new Error(`IMAFS_TEST_KERNEL is one of ${OLD_KERNELS.join(', ')}`);
  return known;
};

/** Words before the daemon's command. */
export const underKernel = (kernel = testKernel()): readonly string[] =>
  kernel === undefined
    ? []
    : ['env', `OLD_KERNEL=${kernel}`, `LD_PRELOAD=${program('old-kernel')}`];
