/**
 * `namespaces`: O_RDONLY lists the activated ones, one number a line; O_WRONLY activates the one whose
 * number is written, as the namespace patches of 2017 do (reference/ima.md 1.3).
 */
import { firstLine } from '../namespaces/first-line.js';
import { type OpenFile, snapshot } from './virtual-file.js';

/** The system sees all; another namespace is not told who its neighbours are. */
export const readNamespaces: OpenFile = ({ namespace, parts }) => {
  const shown = parts.registry
    .activated()
    .filter((known) => namespace.isSystem || known.id === namespace.id);
  return snapshot(shown.map((known) => `${known.name}\n`).join(''));
};

export const writeNamespaces: OpenFile = ({ namespace, parts }) => {
  // ima_open_namespaces() wants CAP_SYS_ADMIN of the system, which a container's root has not.
  if (!namespace.isSystem) return 'EPERM';
  return {
    write: async (data, caller) => {
      const { text, taken } = firstLine(data);
      // kstrtouint(): a decimal number of 32 bits.
      if (!/^\+?\d{1,10}$/.test(text.trim())) return 'EINVAL';
      const number = Number(text);
      if (number > 0xffff_ffff) return 'EINVAL';
      return (await parts.lifecycle.activate(number, caller)) ?? taken;
    },
  };
};
