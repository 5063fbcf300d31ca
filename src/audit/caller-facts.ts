/**
 * What audit records say about a caller beyond its request, read from /proc/TID while the request is
 * unanswered and the caller therefore cannot vanish. Asynchronous: procfs can wait for a lock that
 * the caller's own exec holds.
 */
import { readFile, readlink } from 'node:fs/promises';

/** Who a record is about; binding's Caller is one. */
export interface AuditCaller {
  readonly tid: number;
  readonly pid: number;
  readonly credentials: {
    readonly uid: number;
    readonly euid: number;
    readonly suid: number;
    readonly fsuid: number;
    readonly gid: number;
    readonly egid: number;
    readonly sgid: number;
    readonly fsgid: number;
  };
}

export interface CallerFacts {
  /** Login uid and audit session, 4294967295 where unset. */
  readonly auid: number;
  readonly session: number;
  readonly comm: Uint8Array;
  /** As d_path() gives it; undefined for kernel threads. */
  readonly exe: Uint8Array | undefined;
  /** LSM context, undefined where no LSM keeps one. */
  readonly subject: string | undefined;
  readonly parent: number;
  /** tty_name(), or "(none)". */
  readonly tty: string;
}

/** Port: how the facts of a thread are found. Never rejects; what cannot be read is "unset". */
export type ReadCallerFacts = (tid: number) => Promise<CallerFacts>;

/** (unsigned)-1, AUDIT_UID_UNSET and AUDIT_SID_UNSET. */
const UNSET = 4_294_967_295;

/** Major numbers of Unix98 pty slaves, Documentation/admin-guide/devices.txt. */
const PTY_SLAVE_MAJOR_FIRST = 136;
const PTY_SLAVE_MAJOR_LAST = 143;

const readNumber = async (path: string): Promise<number> => {
  const text = await readFile(path, 'latin1').catch(() => '');
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? UNSET : value;
};

const readComm = async (tid: number): Promise<Uint8Array> => {
  const bytes = await readFile(`/proc/${tid}/comm`).catch(() => Buffer.from('?\n'));
  return bytes.subarray(0, -1);
};

const readSubject = async (tid: number): Promise<string | undefined> => {
  const text = await readFile(`/proc/${tid}/attr/current`, 'latin1').catch(() => '');
  const context = text.replace(/[\0\n]+$/, '');
  return context === '' ? undefined : context;
};

/** Name of the terminal with this device number, as struct tty_struct's name has it. */
const ttyName = async (device: number): Promise<string> => {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device === 0) return '(none)';
  if (major >= PTY_SLAVE_MAJOR_FIRST && major <= PTY_SLAVE_MAJOR_LAST) {
    return `pts${(major - PTY_SLAVE_MAJOR_FIRST) * 256 + minor}`;
  }
  const link = await readlink(`/sys/dev/char/${major}:${minor}`).catch(() => '');
  return link.slice(link.lastIndexOf('/') + 1) || '(none)';
};

/** Fields 4 (ppid) and 7 (tty_nr) of /proc/TID/stat; comm before them may hold anything. */
const readParentAndTty = async (tid: number): Promise<{ parent: number; tty: string }> => {
  const stat = await readFile(`/proc/${tid}/stat`, 'latin1').catch(() => '');
  const afterComm = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const tty = await ttyName(Number(afterComm[4] ?? 0));
  return { parent: Number(afterComm[1] ?? 0), tty };
};

export const readCallerFacts: ReadCallerFacts = async (tid) => {
  const [auid, session, comm, exe, subject, { parent, tty }] = await Promise.all([
    readNumber(`/proc/${tid}/loginuid`),
    readNumber(`/proc/${tid}/sessionid`),
    readComm(tid),
    readlink(`/proc/${tid}/exe`, 'buffer').catch(() => undefined),
    readSubject(tid),
    readParentAndTty(tid),
  ]);
  return { auid, session, comm, exe, subject, parent, tty };
};
