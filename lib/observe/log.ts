/** The operator's log, by pino: one line an event on standard error. `event` is a stable name, the rest its fields. */
import { isatty } from 'node:tty';
import pino, { type Logger } from 'pino';
import { textLine } from './text-line.ts';

/** What an operator may choose: `server.debug` and `server.log`. */
export interface LogSettings {
  /** Log what is only of interest when something is being hunted, too. */
  readonly debug: boolean;
  /** `auto` is text on a terminal, and JSON elsewhere. */
  readonly log: 'auto' | 'json' | 'text';
}

/** pino's logger, and what a log of ours can do besides. */
export interface Log extends Logger {
  /** Goes on as another configuration wants it. */
  configure(settings: LogSettings): void;
}

const STDERR = 2;

/** @param onLine given each line that is written, as JSON with its line end, whatever the operator sees. It must not log. */
export function createLog(settings: LogSettings, onLine: ((line: string) => void) | null = null): Log {
  const options: pino.LoggerOptions = {
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: pino.stdSerializers.err, cause: describeCause },
  };
  // Synchronous: these lines are rare, and the last one before an end matters most.
  const output = pino.destination({ dest: STDERR, sync: true });
  const isTerminal = isatty(STDERR);
  const hasColours = isTerminal && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  let isText = false;
  const write = (line: string): void => {
    onLine?.(line);
    output.write(isText ? textLine(line, hasColours) : line);
  };
  const configure = ({ debug, log: form }: LogSettings): void => {
    isText = form === 'text' || (form === 'auto' && isTerminal);
    log.level = debug ? 'debug' : 'info';
  };
  const log: Log = Object.assign(pino(options, { write }), { configure });
  configure(settings);
  return log;
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
