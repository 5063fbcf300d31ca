/**
 * The process that stands in a namespace for a test: it starts programs there and reports what they
 * print and how they end. It lives as long as its IPC channel, so it cannot outlive the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';

import type { FromAgent, StartMessage, ToAgent } from './agent-messages.js';

const children = new Map<number, ChildProcess>();

function tell(message: FromAgent): void {
  // Where the test has gone meanwhile there is nobody to tell.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function start({ id, words, uid, gid, cwd, ipc }: StartMessage): void {
  const child = spawn(words[0] ?? '', words.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    detached: true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  children.set(id, child);
  child.on('error', (error: NodeJS.ErrnoException) => {
    tell({ kind: 'failed', id, code: error.code ?? error.message });
  });
  if (child.pid === undefined) return;
  tell({ kind: 'started', id, pid: child.pid });
  child.stdin?.on('error', () => undefined);
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('latin1').on('data', (text: string) => {
      tell({ kind: name, id, text });
    });
  }
  child.on('message', (message) => {
    tell({ kind: 'said', id, message });
  });
  child.on('close', (exit, signal) => {
    children.delete(id);
    tell({ kind: 'ended', id, exit, signal });
  });
}

function signalGroup(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (child?.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It ended by itself in between.
  }
}

process.on('message', (message: ToAgent) => {
  const child = children.get(message.id);
  if (message.kind === 'start') start(message);
  else if (message.kind === 'signal') signalGroup(child, message.signal);
  else if (message.text === undefined) child?.stdin?.end();
  else child?.stdin?.write(message.text, 'latin1');
});

process.on('disconnect', () => {
  for (const child of children.values()) signalGroup(child, 'SIGKILL');
  process.exit(0);
});

tell({ kind: 'ready' });
