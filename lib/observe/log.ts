/** The operator's log, by pino: one line an event on standard error. `event` is a stable name, the rest its fields. */
import { isatty } from 'node:tty';
import pino, { type Level, type Logger } from 'pino';
import { textLine } from './text-line.ts';
import { Throttle } from './throttle.ts';

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
  /**
   * Whether a line would be written now; if not for want of room (see bursts.ts), it counts as left out. For those who
   * want to know before they make one.
   * @param code of events that have one: each is counted for itself
   */
  hasRoom(level: Level, event: string, code?: string): boolean;
  /** The process ends: tells what was left out last. */
  end(): void;
}

/** Told of in any case, as is all that is fatal: these are few, and what an operator waits for. */
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
/** So much is kept, bytes, while standard error cannot be written: a full disk may have room again. */
const MAX_KEPT = 1_048_576;
/** pino's number for it. */
const FATAL = 60;

/** @param onLine given each line that is written, as JSON with its line end, whatever the operator sees. It must not log. */
export function createLog(settings: LogSettings, onLine: ((line: string) => void) | null = null): Log {
  const throttle = new Throttle(
    ({ of, count, seconds }) => {
      const lines = count === 1 ? 'line was' : 'lines were';
      log.warn({ event: 'suppressed', of, count, seconds }, `${count} more ${lines} left out in ${seconds} s: ${of}`);
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
  // Synchronous: these lines are rare, and the last one before an end matters most.
  const output = pino.destination({ dest: STDERR, sync: true, maxLength: MAX_KEPT });
  // Whoever logs would have it thrown at him: a disk that is full costs lines, not the router.
  output.on('error', () => {});
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
  const hasRoom = (level: Level, event: string, code?: string): boolean =>
    log.isLevelEnabled(level) && !throttle.isFull(nameOf(event, code));
  const log: Log = Object.assign(pino(options, { write }), { configure, hasRoom, end: () => throttle.end() });
  configure(settings);
  return log;
}

/** As what a line is counted; null for one that is not. */
function burstOf(fields: unknown): string | null {
  const { event, code } = Object(fields) as { readonly event?: unknown; readonly code?: unknown };
  if (typeof event !== 'string' || ALWAYS.has(event)) return null;
  return nameOf(event, typeof code === 'string' ? code : undefined);
}

function nameOf(event: string, code: string | undefined): string {
  return code === undefined ? event : `${event} ${code}`;
}

/** An error in one line: its message, and those of what caused it, each once. */
export function describeCause(cause: unknown): string {
  return [...new Set(messagesOf(cause))].filter((message) => message !== '').join(': ');
}

function messagesOf(cause: unknown): readonly string[] {
  if (!(cause instanceof Error)) return [String(cause)];
  const messages = [cause.message || (cause as NodeJS.ErrnoException).code || cause.name];
  // Connecting to a name with several addresses fails once for each.
  if (cause instanceof AggregateError) messages.push(...cause.errors.flatMap(messagesOf));
  if (cause.cause !== undefined) messages.push(...messagesOf(cause.cause));
  return messages;
}
