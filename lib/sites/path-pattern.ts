/**
 * Patterns that operators write for paths. Every tenant with write access to its options can set one, and they are matched against
 * what any client sends, so that the time of one match must be bounded: RE2's syntax and its engine, in JavaScript (re2js).
 * Its time is at most proportional to the program's size times the path's length, about 10 to 30 ns for each step; it
 * needs no compiler to be installed.
 */
import { RE2JS } from 're2js';
import { patternSize } from './pattern-size.ts';

/** Characters of a pattern, and of what a path becomes. */
const MAX_PATTERN = 500;
/** Instructions of a pattern's program. Larger ones could match no path longer than 128 bytes. */
const MAX_PROGRAM = 256;
/** Instructions times bytes of a path, for one match: the slowest patterns take 0.9 ms then, most of them under 0.5 ms. */
const MAX_STEPS = 32_768;
/** How often a new path may repeat parts of the client's: it becomes a request's head. */
const MAX_REFERENCES = 16;

const TOO_LARGE = 'the pattern is too large: repeat less';

/** A pattern and what paths that match become. */
export interface PathPattern {
  /** Whether a match would take too long; the request must be refused (414) then. @param path without query */
  isTooLong(path: string): boolean;
  /** The new path, or null when the pattern does not match. @param path without query, not too long */
  apply(path: string): string | null;
}

// Of the new path: what a request target is made of.
const REPLACEMENT = /^\/[!-~]*$/;
const REFERENCE = /\$(?:([0-9])|\$)/g;

/**
 * Reads a pattern and its replacement, `^/app/users/([0-9]{4})$` and `/users/$1`. `$1` to `$9` stand for groups, `$0` for all
 * that matched, `$$` for a dollar sign.
 * @returns a string that says what is wrong, where something is
 */
export function readPattern(source: string, replacement: string): PathPattern | string {
  if (source.length > MAX_PATTERN) return `a pattern has ${MAX_PATTERN} characters at most`;
  if (replacement.length > MAX_PATTERN) return `what a path becomes has ${MAX_PATTERN} characters at most`;
  if (!REPLACEMENT.test(replacement)) return 'what a path becomes begins with "/" and has no white space in it';
  // Before it is compiled: that takes 0.3 s for the largest of 500 characters.
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
    if (Number(digit) > groups) return `$${digit} stands for no group of the pattern`;
    if (text !== '$$') references++;
  }
  if (references > MAX_REFERENCES) return `what a path becomes has ${MAX_REFERENCES} references at most`;
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

/** What every path that matches begins with, as far as the pattern tells: paths of any length are passed over by it. */
function literalStart(source: string): string {
  if (source.includes('|')) return '';
  const literal = /^\^([\w/~%-]*)/.exec(source)?.[1] ?? '';
  // The last character may be optional.
  return /^[*?{]/.test(source.slice(1 + literal.length)) ? literal.slice(0, -1) : literal;
}
