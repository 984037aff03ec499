/** The operator's log: one JSON object a line on standard error, by pino. `event` is a stable name, the rest its fields. */
import pino, { type Logger } from 'pino';

export type Log = Logger;

/** @param debug log what is only of interest when something is being hunted, too */
export function createLog(debug: boolean): Log {
  const options: pino.LoggerOptions = {
    level: debug ? 'debug' : 'info',
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: pino.stdSerializers.err, cause: describeCause },
  };
  // Synchronous: these lines are rare, and the last one before an end matters most.
  return pino(options, pino.destination({ dest: 2, sync: true }));
}

/** An error in one line: its message, and those of what caused it. */
export function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const messages = [cause.message || (cause as NodeJS.ErrnoException).code || cause.name];
  // Connecting to a name with several addresses fails once for each.
  if (cause instanceof AggregateError) messages.push(...cause.errors.map(describeCause));
  if (cause.cause !== undefined) messages.push(describeCause(cause.cause));
  return messages.filter((message) => message !== '').join(': ');
}
