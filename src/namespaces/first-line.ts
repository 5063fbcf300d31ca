/** ima_write_policy() and ima_write_namespaces() cut what is longer than PAGE_SIZE - 1. */
const LONGEST_WRITE_BYTES = 4095;

/** What one write(2) means: its first line, and the bytes that count as taken, its newline included. */
export const firstLine = (data: Uint8Array): { readonly text: string; readonly taken: number } => {
  const kept = Buffer.from(data.subarray(0, LONGEST_WRITE_BYTES));
  const newline = kept.indexOf('\n');
  return newline < 0
    ? { text: kept.toString(), taken: kept.length }
    : { text: kept.toString('utf8', 0, newline), taken: newline + 1 };
};
