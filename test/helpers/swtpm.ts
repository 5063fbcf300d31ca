/** A swtpm that a test owns: it can be killed, stopped for a while and started again. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_MS = 10_000;
const POLL_MS = 2;

export interface SwtpmOptions {
  readonly over?: 'unix' | 'tcp';
  /** As swtpm's --flags; by default it is started up with cleared PCRs. */
  readonly startup?: 'startup-clear' | 'startup-none';
  /** Keep each command with its bytes in a log, for `countCommands`. */
  readonly logged?: boolean;
}

export class TestSwtpm {
  /** Temporary, removed by `end`. */
  readonly directory = mkdtempSync(join(tmpdir(), 'imafs-swtpm-'));
  /** As for tpm= and for the -T of tpm2-tools. */
  readonly tcti: string;
  readonly #words: readonly string[];
  readonly #port: number | undefined;
  readonly #startup: string;
  #child: ChildProcess | undefined;

  private constructor(options: SwtpmOptions, port: number | undefined) {
    this.#port = port;
    this.#startup = options.startup ?? 'startup-clear';
    const socket = join(this.directory, 'sock');
    this.tcti = port === undefined ? `swtpm:path=${socket}` : `swtpm:host=127.0.0.1,port=${port}`;
    const places =
      port === undefined
        ? [`type=unixio,path=${socket}`, `type=unixio,path=${socket}.ctrl`]
        : [`type=tcp,port=${port}`, `type=tcp,port=${port + 1}`];
    const log = options.logged === true ? `file=${this.#log},level=20` : 'file=-';
    this.#words = ['--server', places[0]!, '--ctrl', places[1]!, '--log', log];
  }

  /** Started, ready, and ended after the tests of the file. */
  static async start(options: SwtpmOptions = {}): Promise<TestSwtpm> {
    const swtpm = new TestSwtpm(options, options.over === 'tcp' ? await freePort() : undefined);
    after(() => swtpm.end());
    await swtpm.start();
    return swtpm;
  }

  get #log(): string {
    return join(this.directory, 'log');
  }

  /** Again after `kill`, with the NV state of before. */
  async start(): Promise<void> {
    const flags = `not-need-init,${this.#startup}`;
    const state = `dir=${this.directory}`;
    const child = spawn(
      'swtpm',
      ['socket', '--tpm2', '--tpmstate', state, '--flags', flags, ...this.#words],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    this.#child = child;
    const limit = performance.now() + READY_MS;
    while (!(await this.#accepts())) {
      if (child.exitCode !== null || performance.now() > limit) throw new Error('no swtpm');
      await sleep(POLL_MS);
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A command of tpm2-tools on this TPM; its stdout. */
  tool(name: `tpm2_${string}`, ...words: readonly string[]): string {
    return execFileSync(name, ['-T', this.tcti, ...words], { encoding: 'utf8', timeout: 20_000 });
  }

  /** Value of a PCR in lower-case hexadecimal, as tpm2_pcrread sees it. */
  pcr(bank: string, pcr: number): string {
    const shown = /: 0x([0-9A-F]+)/.exec(this.tool('tpm2_pcrread', `${bank}:${pcr}`))?.[1];
    if (shown === undefined) throw new Error(`tpm2_pcrread shows no ${bank}:${pcr}`);
    return shown.toLowerCase();
  }

  /** Commands with `code` (TPM_CC_*) that swtpm got and answered with success. */
  countCommands(code: number): number {
    const lines = readFileSync(this.#log, 'utf8').split('\n');
    // A header is 10 bytes, tag 2, size 4, code 4; a line of the log shows 16.
    const wanted = code
      .toString(16)
      .toUpperCase()
      .padStart(8, '0')
      .replace(/..(?=.)/g, '$& ');
    return lines.filter((line, index) => {
      if (!line.includes('SWTPM_IO_Read') || lines[index + 1]?.slice(19, 30) !== wanted)
        return false;
      const answer = lines.findIndex((one, at) => at > index && one.includes('SWTPM_IO_Write'));
      return lines[answer + 1]?.slice(19, 30) === '00 00 00 00';
    }).length;
  }

  async #accepts(): Promise<boolean> {
    const place = this.#port ?? join(this.directory, 'sock');
    if (typeof place === 'string' && !existsSync(`${place}.ctrl`)) return false;
    const socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connect(place);
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}

/** One whose successor is free as well, for the control channel. */
async function freePort(): Promise<number> {
  for (;;) {
    const first = await listening(0);
    const { port } = first.address() as AddressInfo;
    const second = await listening(port + 1).catch(() => undefined);
    first.close();
    second?.close();
    if (second !== undefined) return port;
  }
}

async function listening(port: number) {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
