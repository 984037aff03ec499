/** The output and environment of a command. */
export interface Console {
  /** Writes to standard output. Resolves when more can be written. */
  write(text: string): Promise<void>;
  complain(line: string): void;
  /** Whether the output is a terminal. */
  readonly isTerminal: boolean;
  readonly hasColor: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** The console of this process. */
export function processConsole(): Console {
  const { stdout, stderr, env } = process;
  // The reader has closed the pipe, as in `hipache route list | head`.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const isTerminal: boolean | undefined = stdout.isTTY;
  const noColor = env['NO_COLOR'];
  return {
    write: (text) =>
      new Promise((resolve) => {
        if (stdout.write(text)) resolve();
        else stdout.once('drain', resolve);
      }),
    complain: (line) => void stderr.write(`hipache: ${clean(line)}\n`),
    isTerminal: isTerminal ?? false,
    hasColor: (isTerminal ?? false) && (noColor === undefined || noColor === '') && env['TERM'] !== 'dumb',
    env,
  };
}

/**
 * Text from elsewhere with its control characters escaped, line breaks included, so that it cannot control the
 * terminal.
 */
export function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const COLORS = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 } as const;

/** The name of a colour. */
export type Color = keyof typeof COLORS;

/** A text in a colour, if colours are on. */
export function paint({ hasColor }: Console, color: Color, text: string): string {
  return hasColor ? `\u001B[${COLORS[color]}m${text}\u001B[0m` : text;
}

/** Aligns rows in columns. The last column is not padded. Widths grow with the rows seen so far. */
export class Table {
  readonly #widths: number[] = [];

  /** The rows as lines. Columns are as wide as the widest cell of these and all earlier rows. */
  lines(rows: readonly (readonly string[])[]): readonly string[] {
    const cleaned = rows.map((row) => row.map(clean));
    for (const row of cleaned) {
      for (const [i, cell] of row.entries()) this.#widths[i] = Math.max(this.#widths[i] ?? 0, lengthOf(cell));
    }
    return cleaned.map((row) => row.map((cell, i) => this.#padded(cell, i, row.length)).join('  '));
  }

  #padded(cell: string, column: number, columns: number): string {
    const missing = (this.#widths[column] ?? 0) - lengthOf(cell);
    return column === columns - 1 ? cell : cell + ' '.repeat(Math.max(0, missing));
  }
}

/** The number of terminal columns that a text takes, approximately. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
