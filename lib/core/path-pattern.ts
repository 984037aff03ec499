/**
 * Patterns that operators write for paths. They come from whoever may write a frontend's options, and are held against
 * what anybody sends, so that the time they take must be bounded: RE2's syntax and its engine, in JavaScript (re2js).
 * Its time grows with the length of the path and never with a power of it; it needs no compiler to be installed.
 */
import { RE2JS } from 're2js';

/** Characters of a pattern, and steps of its program: the longest path then takes some milliseconds at the worst. */
const MAX_PATTERN = 500;
const MAX_PROGRAM = 1000;

/** A pattern and what paths that match become. */
export interface PathPattern {
  /** The new path, or null when the pattern does not match. @param path without query */
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
  if (!REPLACEMENT.test(replacement)) return 'what a path becomes begins with "/" and has no white space in it';
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(source);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (pattern.programSize() > MAX_PROGRAM) return 'the pattern is too large: repeat less';
  const groups = pattern.groupCount();
  for (const [, digit = '0'] of replacement.matchAll(REFERENCE)) {
    if (Number(digit) > groups) return `$${digit} stands for no group of the pattern`;
  }
  return {
    apply: (path) => {
      const match = pattern.matcher(path);
      if (!match.find()) return null;
      return replacement.replaceAll(REFERENCE, (_, digit?: string) =>
        digit === undefined ? '$' : (match.group(Number(digit)) ?? ''),
      );
    },
  };
}
