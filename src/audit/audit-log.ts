/**
 * All audit records of the daemon. Each goes to two sinks: as the kernel's line to the file of
 * audit=FILE (where there is one), and as JSON to the log (stderr, so the journal), under the message
 * "audit". Records are not rate-limited; whoever causes them waits until they are written.
 */
import { basename } from 'node:path';
import type { Log } from '../base/log.js';
import type { LoggedWord } from '../ima/policy/logged-words.js';
import type { AuditPort } from '../ima/ports.js';
import {
  type AuditRecord,
  type AuditType,
  bare,
  type Field,
  jsonRecord,
  kernelLine,
  untrusted,
} from './audit-record.js';
import type { AuditCaller, CallerFacts, ReadCallerFacts } from './caller-facts.js';
import type { DeviceName } from './device-name.js';
import type { FileSink, SinkHealth } from './file-sink.js';

export interface AuditParts {
  readonly log: Log;
  readonly readCallerFacts: ReadCallerFacts;
  readonly deviceName: DeviceName;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sink: FileSink | undefined;
}

/** One access to one file, in one namespace that judges it; or an event that is about no file. */
export interface AuditedAccess {
  /** nsfs inode number of the judging mount namespace, shown as mnt_ns=. */
  readonly namespace: number;
  readonly caller: AuditCaller;
  /** Of an event its name. */
  readonly path: string;
  /** st_dev of the backing file as major:minor; undefined, as is `ino`, if there is no file. */
  readonly device: string | undefined;
  readonly ino: bigint | undefined;
}

export interface AccessAudit extends AuditPort {
  /** Resolves when all records of this access are written or counted as failed; never rejects. */
  settled(): Promise<void>;
}

/** A change of state that is no file access: policy updates, namespaces coming and going. */
export interface StatusEvent {
  readonly namespace: number;
  /** undefined: the daemon itself. */
  readonly caller: AuditCaller | undefined;
  /** As the kernel's: op=policy_update cause=completed. */
  readonly op: string;
  readonly cause: string;
  readonly result: 0 | 1;
  readonly errno: number;
}

export interface AuditHealth {
  /** Records made, whether or not a sink took them. */
  readonly records: number;
  /** Records that could not be made, by a fault of ours. */
  readonly lost: number;
  readonly sink: SinkHealth | undefined;
}

export const daemonAsCaller = (): AuditCaller => {
  const uid = process.getuid?.() ?? 0;
  const euid = process.geteuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const egid = process.getegid?.() ?? 0;
  return {
    tid: process.pid,
    pid: process.pid,
    credentials: { uid, euid, suid: euid, fsuid: euid, gid, egid, sgid: egid, fsgid: egid },
  };
};

/** pid= uid= auid= ses= [subj=], as integrity_audit_message() begins. */
const subjectFields = (caller: AuditCaller, facts: CallerFacts): Field[] => [
  bare('pid', caller.pid),
  bare('uid', caller.credentials.uid),
  bare('auid', facts.auid),
  bare('ses', facts.session),
  ...subjectContext(facts),
];

const subjectContext = (facts: CallerFacts): Field[] =>
  facts.subject === undefined ? [] : [bare('subj', facts.subject)];

/** audit_log_task_info() of kernel/audit.c. */
const taskFields = (caller: AuditCaller, facts: CallerFacts): Field[] => {
  const { uid, gid, euid, suid, fsuid, egid, sgid, fsgid } = caller.credentials;
  const ids = Object.entries({ uid, gid, euid, suid, fsuid, egid, sgid, fsgid });
  return [
    bare('ppid', facts.parent),
    bare('pid', caller.pid),
    bare('auid', facts.auid),
    ...ids.map(([key, id]) => bare(key, id)),
    bare('tty', facts.tty),
    bare('ses', facts.session),
    untrusted('comm', facts.comm),
    facts.exe === undefined ? bare('exe', '(null)') : untrusted('exe', facts.exe),
    ...subjectContext(facts),
  ];
};

export class AuditLog {
  #serial = 0;
  #lost = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(private readonly parts: AuditParts) {}

  /** The audit port of one access. Its caller must not be answered before settled() resolves. */
  forAccess(access: AuditedAccess): AccessAudit {
    const pending: Promise<void>[] = [];
    let facts: Promise<[CallerFacts, Field[]]> | undefined;
    const readFacts = (): Promise<[CallerFacts, Field[]]> => {
      facts ??= Promise.all([
        this.parts.readCallerFacts(access.caller.tid),
        this.#inodeFields(access),
      ]);
      return facts;
    };
    return {
      integrity: ({ type, op, cause, result, errno, byLastName, comm }) => {
        const fields = readFacts().then(([caller, inode]) => [
          ...subjectFields(access.caller, caller),
          bare('op', op),
          bare('cause', cause),
          untrusted('comm', comm ?? caller.comm),
          untrusted('name', byLastName ? basename(access.path) : access.path),
          bare('mnt_ns', access.namespace),
          ...inode,
          bare('res', result),
          bare('errno', errno),
        ]);
        pending.push(this.#record(type, fields));
      },
      measurement: ({ algorithm, bytes }, comm) => {
        const hash = `${algorithm}:${Buffer.from(bytes).toString('hex')}`;
        const fields = readFacts().then(([caller, inode]): Field[] => [
          untrusted('file', access.path),
          { key: 'hash', form: 'quoted', value: hash },
          bare('mnt_ns', access.namespace),
          ...inode,
          ...taskFields(
            access.caller,
            comm === undefined ? caller : { ...caller, comm: Buffer.from(comm) },
          ),
        ]);
        pending.push(this.#record(1805, fields));
      },
      settled: async () => {
        await Promise.all(pending);
      },
    };
  }

  /** Type 1802: a status record without a file, as for a policy update. */
  status(event: StatusEvent): Promise<void> {
    const caller = event.caller ?? daemonAsCaller();
    const fields = this.parts
      .readCallerFacts(caller.tid)
      .then((facts) => [
        ...subjectFields(caller, facts),
        bare('op', event.op),
        bare('cause', event.cause),
        untrusted('comm', facts.comm),
        bare('mnt_ns', event.namespace),
        bare('res', event.result),
        bare('errno', event.errno),
      ]);
    return this.#record(1802, fields);
  }

  /**
   * Type 1807: one rule as ima_parse_rule() logs it, word by word in the order read, with the result of
   * the whole rule.
   */
  policyRule(rule: {
    readonly namespace: number;
    readonly words: readonly LoggedWord[];
    readonly result: 0 | 1;
  }): Promise<void> {
    const fields = [
      ...rule.words.map(ruleWord),
      bare('mnt_ns', rule.namespace),
      bare('res', rule.result),
    ];
    return this.#record(1807, Promise.resolve(fields));
  }

  health(): AuditHealth {
    return { records: this.#serial, lost: this.#lost, sink: this.parts.sink?.health() };
  }

  /** Writes out what is under way and closes the file. */
  async close(): Promise<void> {
    await this.#tail;
    await this.parts.sink?.close();
  }

  async #inodeFields({ device, ino }: AuditedAccess): Promise<Field[]> {
    if (device === undefined) return [];
    return [untrusted('dev', await this.parts.deviceName(device)), bare('ino', String(ino))];
  }

  /** Serial and time are those of the event; both sinks get the records in the order of serials. */
  #record(type: AuditType, fields: Promise<readonly Field[]>): Promise<void> {
    this.#serial += 1;
    const head = { type, serial: this.#serial, timeMs: this.parts.now() };
    this.#tail = this.#tail
      .then(async () => this.#write({ ...head, fields: await fields }))
      .catch((error: unknown) => {
        this.#lost += 1;
        this.parts.log.error({ err: error, serial: head.serial }, 'audit record lost');
      });
    return this.#tail;
  }

  async #write(record: AuditRecord): Promise<void> {
    this.parts.log.info({ audit: jsonRecord(record) }, 'audit');
    await this.parts.sink?.write(kernelLine(record));
  }
}

/** The kernel writes words of rules bare; one with a byte that could break the line is hex here. */
const ruleWord = ({ key, operator, value }: LoggedWord): Field => ({
  ...(/^[\x21-\x7e]*$/.test(value) ? bare(key, value) : untrusted(key, value)),
  operator,
});
