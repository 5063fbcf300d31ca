/**
 * mount(8) and umount(8) with the helpers of imafs, in a mount namespace of their own: over /sbin lies a
 * tmpfs with what is there and the helpers, so that nothing is installed on the host.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Namespace } from './namespace.js';
import { IMAFS } from './project.js';
import type { Outcome } from './running.js';
import { verb } from './verb.js';

const INSTALL = `set -e
sbin=$(realpath /sbin); mkdir "$1/sbin"; mount --bind "$sbin" "$1/sbin"; mount -t tmpfs sbin "$sbin"
ln -s "$1/sbin"/* "$sbin"; shift
for name in mount.fuse.imafs umount.fuse.imafs; do
  printf '#!/bin/sh\\nexec %s %s %s "$@"\\n' "$1" "$2" $name >"$sbin/$name"; chmod 755 "$sbin/$name"
done`;

export class Mount8 {
  root = '';
  #system: Namespace | undefined;

  get system(): Namespace {
    assert.ok(this.#system, 'started');
    return this.#system;
  }

  /** Options of a mount that keeps its state in this test's directory. */
  options(name = 'state'): string {
    return `system_ns=self,state=${this.at(name)}`;
  }

  at(name: string): string {
    return join(this.root, name);
  }

  async start(): Promise<void> {
    this.root = mkdtempSync('/tmp/imafs-test-');
    this.#system = await Namespace.start();
    await this.system.ok(['sh', '-c', INSTALL, 'sh', this.root, ...IMAFS]);
  }

  /** A backing directory with a file in it, or an empty one. */
  directory(name: string, content?: string): string {
    mkdirSync(this.at(name), { recursive: true });
    if (content !== undefined) writeFileSync(join(this.at(name), 'file'), content);
    return this.at(name);
  }

  run(...words: string[]): Promise<Outcome> {
    return this.system.run(words);
  }

  /** Runs a command that has to succeed. */
  ok(...words: string[]): Promise<string> {
    return this.system.ok(words);
  }

  imafs(...words: string[]): Promise<Outcome> {
    return this.system.run([...IMAFS, ...words]);
  }

  read(path: string): Promise<string> {
    return this.system.ok(['cat', path]);
  }

  /** Lines of the mount table that are imafs mounts. */
  async mounts(): Promise<string[]> {
    const table = await this.read('/proc/self/mountinfo');
    return table.split('\n').filter((line) => line.includes(' - fuse.imafs '));
  }

  /** Its daemon's pid, as the test process sees it. */
  async daemonOf(mountpoint: string): Promise<number> {
    const { exit, lines } = await verb(this.system, 'status', mountpoint);
    assert.equal(exit, 0);
    return (lines[0] as { status: { mount: { pid: number } } }).status.mount.pid;
  }

  /** Kills a daemon as a crash would, and waits until its mount is dead. */
  async killDaemonOf(mountpoint: string): Promise<void> {
    const pid = await this.daemonOf(mountpoint);
    process.kill(pid, 'SIGKILL');
    await until(() => isGone(pid));
    assert.match((await this.run('stat', '-f', mountpoint)).stderr, /not connected|abort/);
  }

  /** Takes away what a test left. */
  async unmountAll(): Promise<void> {
    const left = (await this.mounts()).map((line) => line.split(' ')[4] ?? '').reverse();
    for (const mountpoint of left) {
      await this.run('umount', '-i', '-c', '-l', mountpoint.replaceAll('\\040', ' '));
    }
  }

  async stop(): Promise<void> {
    await this.unmountAll();
    await this.system.stop();
    rmSync(this.root, { recursive: true });
  }
}

export function useMount8(): Mount8 {
  const mount8 = new Mount8();
  before(() => mount8.start());
  after(() => mount8.stop());
  return mount8;
}

/** Not running any more; a zombie that init has not reaped yet is gone. */
export function isGone(pid: number): boolean {
  return !existsSync(`/proc/${pid}/exe`);
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    assert.ok(tries < 400, 'it did not come about within 20 s');
    await sleep(50);
  }
}
