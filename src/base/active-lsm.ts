import { existsSync, readFileSync } from 'node:fs';

/** Security modules whose labels audit rules can ask for. */
const WITH_LABELS = ['selinux', 'smack', 'apparmor'] as const;

/** The security module that labels subjects and objects on this machine, undefined where there is none. */
export function activeLsm(): (typeof WITH_LABELS)[number] | undefined {
  const active = activeModules();
  return WITH_LABELS.find((name) => active.includes(name));
}

function activeModules(): readonly string[] {
  try {
    return readFileSync('/sys/kernel/security/lsm', 'latin1').trim().split(',');
  } catch {
    // Without securityfs: SELinux and Smack show a file system of their own.
    return [
      ...(existsSync('/sys/fs/selinux/enforce') ? ['selinux'] : []),
      ...(existsSync('/sys/fs/smackfs/load2') ? ['smack'] : []),
    ];
  }
}
