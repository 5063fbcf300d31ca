/**
 * Who may use the control files of a namespace (DESIGN section 6): the system's root, and the root of
 * that namespace from within it. Decided at OPEN, OPENDIR and READLINK by the caller alone.
 */
import type { Addon, Caller } from '../binding/addon-types.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { Registry } from '../namespaces/registry.js';

/**
 * Whether the caller is root of the mount namespace it is in: its user namespace owns that one or is
 * an ancestor of the owner, it acts with the fsuid of that owner's root, and has CAP_SYS_ADMIN. An io
 * worker or a thread with borrowed credentials is not taken for anybody's root.
 */
const isRootOfOwnNamespace = (addon: AccessAddon, caller: Caller): boolean => {
  if (caller.borrowed || caller.leaderScope !== undefined) return false;
  if (!caller.credentials.capSysAdmin) return false;
  try {
    const { rootUid } = addon.namespaceOwner(caller.tid);
    return (
      rootUid !== undefined &&
      caller.credentials.fsuid === rootUid &&
      caller.requestUid === rootUid &&
      addon.isUserNamespaceAncestor(caller.tid, caller.tid)
    );
  } catch {
    // What cannot be read about a caller speaks against it.
    return false;
  }
};

type AccessAddon = Pick<Addon, 'namespaceOwner' | 'isUserNamespaceAncestor'>;

export const mayUse = (
  addon: AccessAddon,
  registry: Pick<Registry, 'system'>,
  caller: Caller,
  namespace: Namespace,
): boolean =>
  (caller.scope === namespace.id || caller.scope === registry.system.id) &&
  isRootOfOwnNamespace(addon, caller);
