/** `label`: `hash PATH`, `clear PATH` or `sig HEX PATH`; one request a write. */
import { pathText } from '../base/path-bytes.js';
import { decodeSignature } from '../ima/xattr/decode-signature.js';
import { isSignature } from '../ima/xattr/decode-xattr.js';
import { firstLine } from '../namespaces/first-line.js';
import type { LabelChange } from './label.js';
import type { OpenFile } from './virtual-file.js';

const NEWLINE = 0x0a;

export const writeLabel: OpenFile = ({ namespace, parts }) => ({
  write: async (data, caller) => {
    const { taken } = firstLine(data);
    const ended = data[taken - 1] === NEWLINE;
    // What is left of a line that was cut may be a path too, that of another file.
    if (taken < data.length && !ended) return 'ENAMETOOLONG';
    const line = Buffer.from(data.subarray(0, ended ? taken - 1 : taken));
    const request = parse(line.toString('latin1'));
    if (request === undefined) return 'EINVAL';
    const { change, path } = request;
    return (await parts.labeller.label({ caller, namespace, change, path })) ?? taken;
  },
});

/** Of a line in latin1: names may hold any bytes. The path is its rest, so it may hold blanks. */
const parse = (line: string): { change: LabelChange; path: string } | undefined => {
  const [, action, rest] = /^(hash|clear|sig) +(.+)$/.exec(line) ?? [];
  if (rest === undefined) return undefined;
  if (action !== 'sig') return { change: { action: action as 'hash' | 'clear' }, path: text(rest) };
  const [, hex = '', path] = /^(?:0x)?((?:[\da-f]{2})+) +(.+)$/i.exec(rest) ?? [];
  const value = Buffer.from(hex, 'hex');
  return path !== undefined && isWholeSignature(value)
    ? { change: { action: 'sig', value }, path: text(path) }
    : undefined;
};

const text = (path: string): string => pathText(Buffer.from(path, 'latin1'));

/** Its header says how long it is: one that was cut is not written, whatever it is worth. */
const isWholeSignature = (value: Buffer): boolean =>
  isSignature(value) && decodeSignature(value) !== undefined;
