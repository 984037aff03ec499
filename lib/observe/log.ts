/**
 * The operator's log, written with pino: one line per event on standard error. `event` is a stable name; the rest are
 * its fields.
 */
import { isatty } from 'node:tty';
import pino, { type Level, type Logger } from 'pino';
import { textLine } from './text-line.ts';
import { Throttle } from './throttle.ts';

/** The operator's settings: `server.debug` and `server.log`. */
export interface LogSettings {
  /** Whether to log what is only needed to find a fault. */
  readonly debug: boolean;
  /** `auto` is text on a terminal, and JSON elsewhere. */
  readonly log: 'auto' | 'json' | 'text';
}

/** pino's logger with the additions of this router. */
export interface Log extends Logger {
  /** Applies the settings of another configuration. */
  configure(settings: LogSettings): void;
  /**
   * Whether a line of this event would be written now. If its burst limit is reached (see bursts.ts), the line counts
   * as suppressed. For callers that avoid making the line.
   * @param code events with a code are limited per code
   */
  hasRoom(level: Level, event: string, code?: string): boolean;
  /** Logs what is still suppressed, before the process exits. */
  end(): void;
}

/** Never suppressed, like all fatal lines: these events are rare and important. */
const ALWAYS: ReadonlySet<unknown> = new Set([
  'ready',
  'reloaded',
  'reload-refused',
  'upgraded',
  'upgrade-failed',
  'stopping',
  'stopped',
  'suppressed',
]);

const STDERR = 2;
/** How many bytes are kept while standard error cannot be written, for example because the disk is full. */
const MAX_KEPT = 1_048_576;
/** pino's number of the level `fatal`. */
const FATAL = 60;

/**
 * @param onLine called with each line that is written, as JSON with its line end, whatever format the operator chose.
 *   It must not log
 * @param isSilent whether lines go to `onLine` only
 */
export function createLog(
  settings: LogSettings,
  onLine: ((line: string) => void) | null = null,
  isSilent = false,
): Log {
  const throttle = new Throttle(
    ({ of, count, seconds }) => {
      const lines = count === 1 ? 'line was' : 'lines were';
      log.warn({ event: 'suppressed', of, count, seconds }, `${count} more ${lines} suppressed in ${seconds} s: ${of}`);
    },
    () => performance.now(),
  );
  const options: pino.LoggerOptions = {
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: pino.stdSerializers.err, cause: describeCause },
    hooks: {
      logMethod(args, method, level) {
        const name = burstOf(args[0]);
        if (name !== null && level < FATAL) {
          if (throttle.isFull(name)) return;
          throttle.logged(name);
        }
        method.apply(this, args);
      },
    },
  };
  // Synchronous: lines are rare, and the last one before an exit matters most.
  const output = isSilent ? null : pino.destination({ dest: STDERR, sync: true, maxLength: MAX_KEPT });
  // Without a listener the error would be thrown into the code that logs. A full disk loses lines, but must not end the
  // router.
  output?.on('error', () => {});
  const isTerminal = isatty(STDERR);
  const hasColours = isTerminal && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  let isText = false;
  const write = (line: string): void => {
    onLine?.(line);
    output?.write(isText ? textLine(line, hasColours) : line);
  };
  const configure = ({ debug, log: form }: LogSettings): void => {
    isText = form === 'text' || (form === 'auto' && isTerminal);
    log.level = debug ? 'debug' : 'info';
  };
  const hasRoom = (level: Level, event: string, code?: string): boolean =>
    log.isLevelEnabled(level) && !throttle.isFull(nameOf(event, code));
  const log: Log = Object.assign(pino(options, { write }), { configure, hasRoom, end: () => throttle.end() });
  configure(settings);
  return log;
}

/** The name that a line is counted by; null if it is not limited. */
function burstOf(fields: unknown): string | null {
  const { event, code } = Object(fields) as { readonly event?: unknown; readonly code?: unknown };
  if (typeof event !== 'string' || ALWAYS.has(event)) return null;
  return nameOf(event, typeof code === 'string' ? code : undefined);
}

function nameOf(event: string, code: string | undefined): string {
  return code === undefined ? event : `${event} ${code}`;
}

/** An error in one line: its message and those of its causes, each once. */
export function describeCause(cause: unknown): string {
  return [...new Set(messagesOf(cause))].filter((message) => message !== '').join(': ');
}

function messagesOf(cause: unknown): readonly string[] {
  if (!(cause instanceof Error)) return [String(cause)];
  const messages = [cause.message || (cause as NodeJS.ErrnoException).code || cause.name];
  // A failed connection to a name with several addresses has an error for each.
  if (cause instanceof AggregateError) messages.push(...cause.errors.flatMap(messagesOf));
  if (cause.cause !== undefined) messages.push(...messagesOf(cause.cause));
  return messages;
}
