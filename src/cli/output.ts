import { styleText } from 'node:util';

import type { UserError } from './user-error.js';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

export type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/** Where output goes; the process's own streams outside tests. */
export interface Streams {
  readonly stdout: {
    write(text: string | Uint8Array): unknown;
    readonly isTTY?: boolean;
    /** Whoever read it went away. */
    readonly destroyed?: boolean;
  };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

/**
 * The one door to stdout and stderr of the command line. A result goes to stdout, either as text or,
 * under `--json`, as one JSON line with `type` and `schema`; everything else goes to stderr.
 */
export class Output {
  constructor(
    /** `policy check`; names the JSON schema. */
    private readonly verb: string,
    readonly json: boolean,
    private readonly streams: Streams = process,
  ) {}

  /** One result. `text` has no newline at its end; undefined: only `--json` shows this result. */
  result(
    type: string,
    fields: Readonly<Record<string, JsonValue | undefined>>,
    text: string | undefined,
  ): void {
    if (this.json) this.jsonLine(type, fields);
    else if (text !== undefined) this.streams.stdout.write(`${text}\n`);
  }

  /** A result that is bytes in nobody knows what encoding; not for `--json`. */
  bytes(bytes: Uint8Array): void {
    this.streams.stdout.write(bytes);
  }

  /** Nobody reads the results any more. */
  get isUnread(): boolean {
    return this.streams.stdout.destroyed === true;
  }

  /** The last line of a failure. */
  error(error: UserError): void {
    if (this.json) {
      this.jsonLine('error', {
        code: error.code,
        exit: error.exit,
        message: error.message,
        hints: error.hints,
      });
      return;
    }
    this.note(`imafs: ${this.style('red', error.message, 'stderr')}`);
    for (const hint of error.hints) this.note(`  hint: ${hint}`);
  }

  /** A remark for the reader, never part of the result. */
  note(text: string): void {
    this.streams.stderr.write(`${text}\n`);
  }

  /** Coloured only where the stream is a terminal and NO_COLOR is not set. */
  style(style: Style, text: string, stream: 'stdout' | 'stderr' = 'stdout'): string {
    const plain = this.streams[stream].isTTY !== true || (process.env['NO_COLOR'] ?? '') !== '';
    return plain ? text : styleText(style, text);
  }

  /** Somebody sees what is transient. */
  get isWatched(): boolean {
    return !this.json && this.streams.stderr.isTTY === true;
  }

  /** Overwrites the current line of a terminal on stderr; nothing anywhere else. */
  transient(text: string): void {
    if (this.isWatched) this.streams.stderr.write(`\r\x1b[K${text}`);
  }

  private jsonLine(type: string, fields: Readonly<Record<string, JsonValue | undefined>>): void {
    const schema = `imafs.${this.verb.replaceAll(' ', '-')}/1`;
    this.streams.stdout.write(`${JSON.stringify({ type, schema, ...fields })}\n`);
  }
}
