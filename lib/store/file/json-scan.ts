/** A position in a JSON text, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * What JSON.parse does not report: where a text stops being JSON, and which names of its objects are duplicates.
 */
export interface JsonScan {
  /** Null when the text is JSON, or when the scan cannot tell where it breaks. */
  readonly fault: (Position & { readonly expected: string }) | null;
  readonly repeats: readonly (Position & { readonly name: string })[];
}

const TOKEN =
  /[ \t\r\n]*(?:([{}[\],:])|("[^"\\\r\n\t]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\r\n\t]*)*")|(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.]))/y;
const SPACE = /[ \t\r\n]*/y;

/** What is expected next, as in the message. */
type Next =
  | 'a value'
  | 'a value or "]"'
  | 'a name in quotes or "}"'
  | 'a name in quotes'
  | '":"'
  | '"," or "}"'
  | '"," or "]"'
  | 'the end';

/**
 * Reads a text as JSON without building anything. Takes linear time; never throws.
 * @param depth the depth of the objects whose names are compared: 1 is the outermost one
 */
export function scanJson(text: string, depth = 1): JsonScan {
  const open: ('{' | '[')[] = [];
  const names = new Set<string>();
  const repeats: (Position & { name: string })[] = [];
  const positionOf = positionsIn(text);
  let next: Next = 'a value';
  let at = 0;
  while (true) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (token === null) {
      const start = afterSpace(text, at);
      const fault = next === 'the end' && start === text.length ? null : { ...positionOf(start), expected: next };
      return { fault, repeats };
    }
    const [, sign, string] = token;
    if (open.length === depth && open.at(-1) === '{' && string !== undefined && next.startsWith('a name')) {
      const name = String(JSON.parse(string));
      if (names.has(name)) repeats.push({ ...positionOf(afterSpace(text, at)), name });
      names.add(name);
    }
    const step = stepOver(next, sign, string !== undefined, open);
    if (step === null) return { fault: { ...positionOf(afterSpace(text, at)), expected: next }, repeats };
    // Another object of this depth.
    if (sign === '{' && open.length === depth) names.clear();
    next = step;
    at = TOKEN.lastIndex;
  }
}

/** What may follow this token, or null when it is not allowed here. Tracks brackets in `open`. */
function stepOver(next: Next, sign: string | undefined, isString: boolean, open: ('{' | '[')[]): Next | null {
  switch (next) {
    case 'a name in quotes or "}"':
      if (sign === '}') return leave(open);
      return isString ? '":"' : null;
    case 'a name in quotes':
      return isString ? '":"' : null;
    case '":"':
      return sign === ':' ? 'a value' : null;
    case '"," or "}"':
      if (sign === '}') return leave(open);
      return sign === ',' ? 'a name in quotes' : null;
    case '"," or "]"':
      if (sign === ']') return leave(open);
      return sign === ',' ? 'a value' : null;
    case 'a value or "]"':
      return sign === ']' ? leave(open) : enter(sign, open);
    case 'a value':
      return enter(sign, open);
    case 'the end':
      return null;
  }
}

function enter(sign: string | undefined, open: ('{' | '[')[]): Next | null {
  if (sign === undefined) return afterValue(open);
  if (sign !== '{' && sign !== '[') return null;
  open.push(sign);
  return sign === '{' ? 'a name in quotes or "}"' : 'a value or "]"';
}

function leave(open: ('{' | '[')[]): Next {
  open.pop();
  return afterValue(open);
}

function afterValue(open: readonly ('{' | '[')[]): Next {
  const around = open.at(-1);
  if (around === undefined) return 'the end';
  return around === '{' ? '"," or "}"' : '"," or "]"';
}

function afterSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  return at + (SPACE.exec(text)?.[0].length ?? 0);
}

/** Converts offsets to positions; offsets must come in order. Takes linear time for all offsets together. */
function positionsIn(text: string): (offset: number) => Position {
  let line = 1;
  let start = 0;
  let end = text.indexOf('\n');
  return (offset) => {
    while (end !== -1 && end < offset) {
      line++;
      start = end + 1;
      end = text.indexOf('\n', start);
    }
    return { line, column: offset - start + 1 };
  };
}
