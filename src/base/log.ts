/**
 * The daemon's log: pino as JSON lines on stderr, which the journal or the terminal keeps. stdout
 * belongs to results.
 */
import { type DestinationStream, type LevelWithSilent, type Logger, pino } from 'pino';

export type Log = Logger;

const STDERR = 2;

/**
 * Writes before it returns. No pino transport: that would be a worker thread, and what it still holds
 * is lost when the daemon is killed, which is when the log matters.
 */
const stderrDestination = (): DestinationStream => {
  const destination = pino.destination({ fd: STDERR, sync: true });
  // A terminal that went away (EIO) or a full disk behind stderr must not end the daemon, and there
  // is no further place to report it.
  destination.on('error', () => undefined);
  return destination;
};

export const createLog = (
  level: LevelWithSilent = 'info',
  destination: DestinationStream = stderrDestination(),
): Log => pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
