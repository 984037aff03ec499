/**
 * Parses JSON with comments and trailing commas (JSONC, as in tsconfig.json). Error messages always have a position;
 * those of JSON.parse have one only sometimes, and it refuses comments.
 */

/** The text is not JSON. The message has the position (lines and columns from 1) and what was expected. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/**
 * Parses JSON. Ignores comments, a comma before `}` or `]`, and a byte order mark, which some editors write.
 * @throws JsonError
 */
export function parseJson(text: string): unknown {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return JSON.parse(bare);
  } catch (cause) {
    const found = scan(bare);
    if ('plain' in found) return JSON.parse(found.plain);
    const before = bare.slice(0, found.offset).split(/\r\n|\n|\r/);
    const column = (before.at(-1) ?? '').length + 1;
    throw new JsonError(`line ${before.length}, column ${column}: ${found.expected}`, { cause });
  }
}

/** What is expected next. The order of cases in `step` follows a document from left to right. */
type Awaited = 'value' | 'value or end' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

/** The text as JSON.parse takes it, or the position where it is not JSON. */
type Scanned = { readonly plain: string } | { readonly offset: number; readonly expected: string };

const MARK = String.raw`([{}[\],:])`;
// From the space up: in JSON, control characters and line breaks must be escaped.
const STRING = String.raw`("(?:[ !#-\[\]-\uFFFF]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")`;
const WORD = String.raw`(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.+-])|(?:true|false|null)(?!\w))`;
const TOKEN = new RegExp(`[ \\t\\r\\n]*(?:${MARK}|${STRING}|${WORD})`, 'y');
const SPACE = /[ \t\r\n]*/y;
const COMMENT = /\/\/[^\r\n]*|\/\*[\s\S]*?\*\//y;

/** A part of the text that JSON does not have: a comment, or a comma before an end. */
type Cut = readonly [from: number, to: number];

/**
 * Finds the first fault, or what to leave out. A scan of tokens rather than a parser: it builds nothing, so it cannot
 * overflow the stack.
 */
function scan(text: string): Scanned {
  const open: string[] = [];
  const cuts: Cut[] = [];
  let awaited: Awaited = 'value';
  let position = 0;
  let comma: number | null = null;
  for (;;) {
    position = skip(text, position, cuts);
    if (awaited === 'nothing' && position === text.length) return { plain: without(text, cuts) };
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    const next: Awaited | null = match && step(awaited, match, open);
    if (!match || !next) return { offset: position, expected: explain(awaited, open, text.slice(position)) };
    const [, mark] = match;
    if (comma !== null && (mark === '}' || mark === ']')) cuts.push([comma, comma + 1]);
    comma = mark === ',' ? position : null;
    awaited = next;
    position = TOKEN.lastIndex;
  }
}

/** Where the next token starts. Adds the comments before it to `cuts`. */
function skip(text: string, from: number, cuts: Cut[]): number {
  for (let position = from; ;) {
    SPACE.lastIndex = position;
    SPACE.test(text);
    const start = SPACE.lastIndex;
    COMMENT.lastIndex = start;
    if (!COMMENT.test(text)) return start;
    position = COMMENT.lastIndex;
    cuts.push([start, position]);
  }
}

function without(text: string, cuts: readonly Cut[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const [from, to] of cuts.toSorted((a, b) => a[0] - b[0])) {
    parts.push(text.slice(done, from));
    done = to;
  }
  parts.push(text.slice(done));
  return parts.join(' ');
}

/** What may follow this token, or null when it is not allowed here. */
function step(awaited: Awaited, [, mark, string, word]: RegExpExecArray, open: string[]): Awaited | null {
  const after = (): Awaited => (open.length === 0 ? 'nothing' : 'comma or end');
  const close = (): Awaited => {
    open.pop();
    return after();
  };
  switch (awaited) {
    case 'value':
    case 'value or end':
      if (string !== undefined || word !== undefined) return after();
      if (mark === ']' && awaited === 'value or end') return close();
      if (mark !== '{' && mark !== '[') return null;
      open.push(mark);
      return mark === '{' ? 'key or end' : 'value or end';
    case 'key or end':
      if (string !== undefined) return 'colon';
      return mark === '}' ? close() : null;
    case 'colon':
      return mark === ':' ? 'value' : null;
    case 'comma or end':
      // A comma may be the last.
      if (mark === ',') return open.at(-1) === '{' ? 'key or end' : 'value or end';
      return mark === (open.at(-1) === '{' ? '}' : ']') ? close() : null;
    case 'nothing':
      return null;
  }
}

/** @param rest the text from the fault on */
function explain(awaited: Awaited, open: readonly string[], rest: string): string {
  const end = open.at(-1) === '{' ? '"}"' : '"]"';
  const found = rest.charAt(0);
  const before = found === '' ? ', but the file ends' : '';
  if (rest.startsWith('/*')) return 'this comment does not end';
  if (found === '"' && awaited !== 'nothing' && awaited !== 'comma or end' && awaited !== 'colon') {
    return 'this text does not end, or holds a line break or a stray "\\"';
  }
  switch (awaited) {
    case 'value':
    case 'value or end':
      if (/[\]},]/.test(found)) return `expected a value before "${found}" (is there a comma too many?)`;
      return `expected a value${before} (text goes in double quotes)`;
    case 'key or end':
      if (found === ',') return 'expected a key before "," (is there a comma too many?)';
      return `expected a key in double quotes${before}`;
    case 'colon':
      return `expected ":" after the key${before}`;
    case 'comma or end':
      return `expected "," or ${end}${before}`;
    case 'nothing':
      return 'expected nothing after the end of the document';
  }
}
