/** Parses JSON with error messages that always have a position; Node's have one only sometimes. */

/** The text is not JSON. The message has the position (lines and columns from 1) and what was expected. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Parses JSON. Ignores a byte order mark, which some editors write. @throws JsonError */
export function parseJson(text: string): unknown {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return JSON.parse(bare);
  } catch (cause) {
    const { offset, expected } = firstFault(bare);
    const before = bare.slice(0, offset).split(/\r\n|\n|\r/);
    const column = (before.at(-1) ?? '').length + 1;
    throw new JsonError(`line ${before.length}, column ${column}: ${expected}`, { cause });
  }
}

/** What is expected next. The order of cases in `firstFault` follows a document from left to right. */
type Awaited = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

const MARK = String.raw`([{}[\],:])`;
// From the space up: in JSON, control characters and line breaks must be escaped.
const STRING = String.raw`("(?:[ !#-\[\]-\uFFFF]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")`;
const WORD = String.raw`(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.+-])|(?:true|false|null)(?!\w))`;
const TOKEN = new RegExp(`[ \\t\\r\\n]*(?:${MARK}|${STRING}|${WORD})`, 'y');
const SPACE = /[ \t\r\n]*/y;

/**
 * The position where JSON.parse stopped. A scan of tokens rather than a parser: it builds nothing, so it cannot
 * overflow the stack.
 */
function firstFault(text: string): { readonly offset: number; readonly expected: string } {
  const open: string[] = [];
  let awaited: Awaited = 'value';
  let position = 0;
  for (;;) {
    SPACE.lastIndex = position;
    SPACE.test(text);
    const offset = SPACE.lastIndex;
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    const next: Awaited | null = match && step(awaited, match, open);
    if (!next) return { offset, expected: explain(awaited, open, text.charAt(offset)) };
    awaited = next;
    position = TOKEN.lastIndex;
  }
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
    case 'key':
    case 'key or end':
      if (string !== undefined) return 'colon';
      return mark === '}' && awaited === 'key or end' ? close() : null;
    case 'colon':
      return mark === ':' ? 'value' : null;
    case 'comma or end':
      if (mark === ',') return open.at(-1) === '{' ? 'key' : 'value';
      return mark === (open.at(-1) === '{' ? '}' : ']') ? close() : null;
    case 'nothing':
      return null;
  }
}

function explain(awaited: Awaited, open: readonly string[], found: string): string {
  const end = open.at(-1) === '{' ? '"}"' : '"]"';
  const before = found === '' ? ', but the file ends' : '';
  if (found === '"' && awaited !== 'nothing' && awaited !== 'comma or end' && awaited !== 'colon') {
    return 'this text does not end, or holds a line break or a stray "\\"';
  }
  switch (awaited) {
    case 'value':
    case 'value or end':
      if (found === ']' || found === '}') return `expected a value before "${found}" (is there a comma too many?)`;
      return `expected a value${before} (text goes in double quotes)`;
    case 'key':
    case 'key or end':
      if (found === '}') return 'expected a key before "}" (is there a comma too many?)';
      return `expected a key in double quotes${before}`;
    case 'colon':
      return `expected ":" after the key${before}`;
    case 'comma or end':
      return `expected "," or ${end}${before}`;
    case 'nothing':
      return 'expected nothing after the end of the document';
  }
}
