/**
 * Patterns for paths. Every tenant with write access to its options can set one, and they are matched against paths
 * from any client, so the time of a match must be bounded: RE2's syntax and engine in JavaScript (re2js). Its time is
 * at most proportional to the program's size times the path's length, about 10 to 30 ns per step; it needs no compiler
 * at installation.
 */
import { RE2JS } from 're2js';
import { patternSize } from './pattern-size.ts';

/** The maximum length of a pattern, and of its replacement, characters. */
const MAX_PATTERN = 500;
/** The maximum number of instructions of a pattern. Larger ones could match no path longer than 128 bytes. */
const MAX_PROGRAM = 256;
/**
 * The maximum of instructions times bytes of a path, for one match: the slowest patterns take 0.9 ms, most under 0.5
 * ms.
 */
const MAX_STEPS = 32_768;
/** How often a replacement may repeat parts of the client's path, since the result becomes part of a request head. */
const MAX_REFERENCES = 16;

const TOO_LARGE = 'the pattern is too large: repeat less';

/** A pattern with its replacement. */
export interface PathPattern {
  /** Whether a match would take too long; then the request must be refused (414). @param path without query */
  isTooLong(path: string): boolean;
  /** The new path; null when the pattern does not match. @param path without query, not too long */
  apply(path: string): string | null;
}

// The characters of a request target.
const REPLACEMENT = /^\/[!-~]*$/;
const REFERENCE = /\$(?:([0-9])|\$)/g;

/**
 * Parses a pattern and its replacement, `^/app/users/([0-9]{4})$` and `/users/$1`. `$1` to `$9` are groups, `$0` is the
 * whole match, `$$` a dollar sign.
 * @returns a string with the fault if there is one
 */
export function readPattern(source: string, replacement: string): PathPattern | string {
  if (source.length > MAX_PATTERN) return `a pattern may have at most ${MAX_PATTERN} characters`;
  if (replacement.length > MAX_PATTERN) return `a replacement may have at most ${MAX_PATTERN} characters`;
  if (!REPLACEMENT.test(replacement)) return 'what a path becomes begins with "/" and has no white space in it';
  // Before compiling, which takes 0.3 s for the largest of 500 characters.
  if (patternSize(source) > 2 * MAX_PROGRAM) return TOO_LARGE;
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(source);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const size = pattern.programSize();
  if (size > MAX_PROGRAM) return TOO_LARGE;
  const groups = pattern.groupCount();
  let references = 0;
  for (const [text, digit = '0'] of replacement.matchAll(REFERENCE)) {
    if (Number(digit) > groups) return `$${digit} is not a group of the pattern`;
    if (text !== '$$') references++;
  }
  if (references > MAX_REFERENCES) return `a replacement may have at most ${MAX_REFERENCES} references`;
  const start = literalStart(source);
  const maxPath = Math.floor(MAX_STEPS / size);
  return {
    isTooLong: (path) => path.length > maxPath && path.startsWith(start),
    apply: (path) => {
      if (!path.startsWith(start)) return null;
      const match = pattern.matcher(path);
      if (!match.find()) return null;
      return replacement.replaceAll(REFERENCE, (_, digit?: string) =>
        digit === undefined ? '$' : (match.group(Number(digit)) ?? ''),
      );
    },
  };
}

/**
 * The literal start of every matching path, as far as the pattern has one: other paths are skipped without a match,
 * however long.
 */
function literalStart(source: string): string {
  if (source.includes('|')) return '';
  const literal = /^\^([\w/~%-]*)/.exec(source)?.[1] ?? '';
  // The last character may be optional.
  return /^[*?{]/.test(source.slice(1 + literal.length)) ? literal.slice(0, -1) : literal;
}
