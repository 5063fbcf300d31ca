import { readFileSync } from 'node:fs';

/** Numbers of include/uapi/linux/capability.h that imafs asks for. */
export const CAPABILITIES = {
  CAP_DAC_READ_SEARCH: 2,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_LEASE: 28,
} as const;

export type CapabilityName = keyof typeof CAPABILITIES;

/** Those of `names` that this process lacks in its effective set. */
export function missingCapabilities(
  names: readonly CapabilityName[],
  status = readFileSync('/proc/self/status', 'utf8'),
): CapabilityName[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return names.filter((name) => ((effective >> BigInt(CAPABILITIES[name])) & 1n) === 0n);
}
