/** The whole terminal, while it shows a table. */
export interface Screen {
  readonly rows: number;
  readonly columns: number;
  /** Aborted by `end`, when the input ends, or when the process gets a signal to end. */
  readonly ended: AbortSignal;
  /** Aborts `ended`. */
  end(): void;
  show(lines: readonly string[]): void;
  /** Restores the terminal. Idempotent. */
  close(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The height of a terminal that does not report its size. */
const ROWS = 24;
const COLUMNS = 80;
/** The start of a colour sequence. */
const ESCAPE = '\u001B';
const COLOR = new RegExp(`(${ESCAPE}\\[[0-9;]*m)`);
/** Switches to the alternate screen without a cursor, and back. */
const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?25h\u001B[?1049l';

/** Takes over the terminal of this process. @param onTyped gets what the user types: Ctrl-C is a character, too */
export function openScreen(onTyped: (text: string) => void): Screen {
  const { stdin, stdout } = process;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of SIGNALS) process.on(signal, end);
  const isRaw: boolean | undefined = stdin.isTTY;
  if (isRaw) {
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    stdin.on('data', onTyped);
    stdin.once('end', end);
  }
  stdout.write(ENTER);
  let isOpen = true;
  return {
    get rows() {
      return stdout.rows || ROWS;
    },
    get columns() {
      return stdout.columns || COLUMNS;
    },
    ended: ending.signal,
    end,
    show: (lines) => {
      const { rows, columns } = stdout;
      const shown = lines.slice(0, Math.max(1, (rows || ROWS) - 1)).map((line) => cut(line, columns || COLUMNS));
      // Overwrites from the top and clears each line's rest: clearing the screen first would flicker.
      stdout.write(`\u001B[H${shown.map((line) => `${line}\u001B[K`).join('\r\n')}\u001B[J`);
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      for (const signal of SIGNALS) process.off(signal, end);
      stdout.write(LEAVE);
      if (!isRaw) return;
      stdin.off('data', onTyped);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

/** Truncates a line to the terminal's width. Colour sequences take no columns. */
function cut(line: string, columns: number): string {
  let room = columns;
  let shown = '';
  for (const part of line.split(COLOR)) {
    if (part.startsWith(ESCAPE)) shown += part;
    else {
      const signs = Array.from(part).slice(0, room);
      room -= signs.length;
      shown += signs.join('');
    }
  }
  return shown;
}
