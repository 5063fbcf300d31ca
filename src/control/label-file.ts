/** `label`: `hash PATH`, `clear PATH`, and once there are keys `sig HEX PATH`; one request a write. */
import { firstLine } from '../namespaces/first-line.js';
import type { OpenFile } from './virtual-file.js';

export const writeLabel: OpenFile = ({ namespace, parts }) => ({
  write: async (data, caller) => {
    const { text, taken } = firstLine(data);
    // The path is the rest of the line, so it may hold spaces.
    const [, action, path] = /^(hash|clear|sig) +(.+)$/.exec(text) ?? [];
    if (path === undefined) return 'EINVAL';
    if (action !== 'hash' && action !== 'clear') return 'EOPNOTSUPP';
    return (await parts.labeller.label({ caller, namespace, action, path })) ?? taken;
  },
});
