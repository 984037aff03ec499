/** Documents as tests read them: tables, fenced blocks, links. */

/** A fenced block: its language and its lines, without the indentation of the fence. */
export interface Fence {
  readonly language: string;
  readonly lines: readonly string[];
}

/** The fenced blocks of a document, in order. */
export function fencesOf(text: string): readonly Fence[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map(([, indent = '', language = '', body = '']) => ({
    language,
    lines: body
      .split('\n')
      .slice(0, -1)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line)),
  }));
}

/** A command of a `console` block, and what the document says that it prints. */
export interface Shown {
  readonly command: string;
  readonly output: string;
}

export function commandsOf(text: string): readonly Shown[] {
  const shown: { command: string; output: string }[] = [];
  for (const { language, lines } of fencesOf(text)) {
    if (language !== 'console') continue;
    for (const line of lines) {
      const last = shown.at(-1);
      if (line.startsWith('$ ')) shown.push({ command: line.slice(2), output: '' });
      else if (last) last.output += `${line}\n`;
    }
  }
  return shown;
}

/** The rows of the tables whose first column is headed so, cell by cell. */
export function rowsOf(text: string, heading: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let isWanted = false;
  for (const line of text.split('\n')) {
    const cells = line.startsWith('|')
      ? line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim())
      : null;
    if (cells === null) isWanted = false;
    else if (cells[0] === heading) isWanted = true;
    else if (isWanted && !/^-+$/.test(cells[0] ?? '')) rows.push(cells);
  }
  return rows;
}

/** What stands between backticks, in order. */
export function codesOf(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** Where links lead, those of this project alone. */
export function localLinksOf(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^\w+:/.test(target));
}

/** The anchors that headings make. */
export function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
