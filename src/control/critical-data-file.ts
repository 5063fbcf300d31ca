/**
 * `critical_data`: what ima_measure_critical_data() is to kernel code. One write is one event: a line
 * `LABEL EVENT_NAME`, and the data. Without a rule that wants it nothing happens, as in the kernel.
 */
import type { OpenFile } from './virtual-file.js';

/** A write(2) of more may come in parts, of which the second would have no line of its own. */
const DATA_BYTES_MAX = 64 * 1024;

const NEWLINE = 0x0a;

export const writeCriticalData: OpenFile = ({ namespace, parts }) => ({
  write: async (data, caller) => {
    if (namespace.isDead) return 'EINVAL';
    const newline = data.indexOf(NEWLINE);
    const line = Buffer.from(data.subarray(0, Math.max(newline, 0))).toString();
    const [, label, eventName] = /^([^ ]+) ([^ ].*)$/.exec(line) ?? [];
    const bytes = data.slice(newline + 1);
    if (label === undefined || eventName === undefined || bytes.length === 0) return 'EINVAL';
    if (data.length > DATA_BYTES_MAX) return 'EFBIG';
    const buffer = { hook: 'CRITICAL_DATA', eventName, data: label, bytes } as const;
    return (await parts.bufferMeasurements.measure(namespace, caller, buffer))
      ? data.length
      : 'EIO';
  },
});
