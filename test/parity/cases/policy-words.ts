/** What the cases about lines of policies share. */
export const IDS = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'];

/** A line as a word of a step. */
export const escaped = (line: string): string =>
  line.replaceAll(/[ \t\r]/g, (it) => `%${it.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** A line as a part of a name. */
export const shown = (line: string): string =>
  JSON.stringify(line.length < 80 ? line : `${line.slice(0, 60)}… ${line.length} characters`);
