/** What a command writes to, and reads of its surroundings. */
export interface Console {
  /** Resolves when there is room for more. */
  write(text: string): Promise<void>;
  complain(line: string): void;
  /** Whether a person looks at what is written. */
  readonly isTerminal: boolean;
  readonly hasColor: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** The console of this process. */
export function processConsole(): Console {
  const { stdout, stderr, env } = process;
  // Whoever reads has seen enough: `hipache route list | head`.
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

/** A text of somebody else's, such that it cannot speak to the terminal. Line breaks are shown, too. */
export function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const COLORS = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 } as const;

export type Color = keyof typeof COLORS;

/** A text in a colour, where colours are wanted. */
export function paint({ hasColor }: Console, color: Color, text: string): string {
  return hasColor ? `\u001B[${COLORS[color]}m${text}\u001B[0m` : text;
}

/** Rows with their columns below each other; the last column ends where it ends. Widths grow with what is seen. */
export class Table {
  readonly #widths: number[] = [];

  /** The rows as lines, in columns that are as wide as the widest cell of these and of all before. */
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

/** How many places a text takes, as far as that can be told. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
