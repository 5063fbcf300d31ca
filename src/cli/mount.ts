import { setFlagsFromString } from 'node:v8';
import type { DaemonOptions } from '../daemon-options.js';
import type { Invocation } from './command.js';
import { startDetached, tellStarter } from './daemon-process.js';
import { daemonSettings, stateDirectory } from './daemon-settings.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { demandUncovered } from './mount-cover.js';
import { type MountOptions, parseMountOptions } from './mount-options.js';
import {
  clearMountpoint,
  demandMountRights,
  type MountPlaces,
  resolveMountPlaces,
} from './mount-places.js';
import type { Output } from './output.js';
import { startFailure } from './start-failure.js';
import { UserError } from './user-error.js';

/** A daemon that serves its mount, in this process. */
export interface RunningDaemon {
  /** Resolves when the mount is gone, with what ended it if that was a fault. */
  readonly ended: Promise<string | undefined>;
  /** Unmounts; `ended` follows. */
  stop(): Promise<void>;
}

/** `beforeMount` runs when all else is there, so that nothing but the mount itself can still fail. */
export type StartDaemon = (
  options: DaemonOptions,
  beforeMount: () => Promise<void>,
) => Promise<RunningDaemon>;

/** `imafs mount`: in the foreground, or in a process of its own that is awaited until it serves. */
export async function mount(
  startDaemon: StartDaemon,
  { operands, options, output }: Invocation,
): Promise<ExitCode> {
  const mountOptions = demandMountOptions(options.texts('options'));
  demandMountRights();
  const [backing = '', mountpoint = ''] = operands;
  const { isOverDead, ...places } = await resolveMountPlaces(backing, mountpoint);
  const settings = daemonSettings(places, mountOptions, options.flag('verbose') ? 'debug' : 'info');
  demandUncovered(settings);
  if (settings.keysDirectory !== undefined) await noteUnadmitted(settings.keysDirectory, output);
  if (options.flag('fake')) return EXIT.ok;
  if (isOverDead) {
    output.note(`imafs: the mount on ${mountpoint} is dead, its daemon is gone: replacing it`);
  }
  if (options.flag('foreground')) return serve(startDaemon, settings);
  const pid = await startDetached(
    daemonWords(places, options.texts('options'), options.flag('verbose')),
    stateDirectory(places, mountOptions),
  );
  output.result('mounted', { ...places, pid }, undefined);
  return EXIT.ok;
}

/** The daemon would say it in its log alone. */
async function noteUnadmitted(keysDirectory: string, output: Output): Promise<void> {
  const { systemKeys } = await import('./system-keys.js');
  for (const { file, reasons } of systemKeys(keysDirectory).unadmitted) {
    output.note(`imafs: ${file} is not admitted: ${reasons.join('; ')}`);
  }
}

/** Throws a UserError for the first word that is none of the table's. */
export function demandMountOptions(lists: readonly string[]): MountOptions {
  const parsed = parseMountOptions(lists);
  if (parsed.ok) return parsed.value;
  const { code, message, hint } = parsed.problem;
  throw new UserError(EXIT.usage, code, message, hint === undefined ? [] : [hint]);
}

/** The same command line for the daemon's own process, which keeps this working directory. */
function daemonWords(places: MountPlaces, lists: readonly string[], verbose: boolean): string[] {
  return [
    'mount',
    '--foreground',
    ...(verbose ? ['--verbose'] : []),
    ...lists.flatMap((list) => ['-o', list]),
    '--',
    places.backing,
    places.mountpoint,
  ];
}

/** Serves until unmounted or told to stop; the starter, if there is one, hears how it began. */
async function serve(startDaemon: StartDaemon, settings: DaemonOptions): Promise<ExitCode> {
  // V8 lets garbage lie while memory seems cheap: 20 to 60 MB of it with 100,000 files known.
  setFlagsFromString('--optimize-for-size');
  // Neither the directory it was started in nor a terminal that goes away concerns a daemon.
  process.chdir('/');
  process.on('SIGHUP', () => undefined);
  // From the beginning: a signal that ended it between the mount and here would leave a dead mount.
  const toldToStop = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
  });
  let daemon: RunningDaemon;
  try {
    // Until it has all but the mount, a dead mount keeps what it covers from being used unprotected.
    daemon = await startDaemon(settings, () => clearMountpoint(settings.mountpoint));
  } catch (error) {
    const failure = startFailure(error);
    const { exit, code, message, hints } = failure;
    await tellStarter({ type: 'failed', exit, code, message, hints });
    throw failure;
  }
  if (!(await tellStarter({ type: 'ready' }))) {
    await daemon.stop();
    throw new UserError(EXIT.runtime, 'interrupted', 'whoever started this daemon did not wait');
  }
  void toldToStop.then(() => daemon.stop());
  const fault = await daemon.ended;
  if (fault === undefined) return EXIT.ok;
  throw new UserError(EXIT.runtime, 'daemon-failed', `the mount ended: ${fault}`);
}
