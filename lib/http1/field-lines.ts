/** Reads field lines in place. They have matched the grammar: each is a token, a colon, a value and CRLF. */
import { aliasedName } from '../core/http/field-alias.ts';
import { isWhiteSpace, trimmed } from '../core/http/white-space.ts';

/**
 * The bit that distinguishes the cases of a letter. It makes no other token character equal to a letter or hyphen of
 * a name.
 */
const CASE = 0x20;
const SPACE = 0x20;

/** Whether a line has this name. @param name in lower case, with the same length as the line's */
export function isNamed(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if ((text.charCodeAt(at + i) | CASE) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether a line has this name for a CGI program: see core/http/field-alias.ts. Both have the same length. */
export function isAliasOf(text: string, at: number, name: string): boolean {
  // Usually the first letter decides.
  if ((text.charCodeAt(at) | CASE) !== name.charCodeAt(0)) return false;
  return aliasedName(text.slice(at, at + name.length).toLowerCase()) === name;
}

/** Returns where a line ends. @param colon the position of its colon */
export function endOf(text: string, colon: number): number {
  return text.indexOf('\r', colon);
}

/** Whether there is exactly one space before the value and none after it, as Node writes fields. */
export function isNeat(text: string, colon: number, end: number): boolean {
  return (
    text.charCodeAt(colon + 1) === SPACE &&
    !isWhiteSpace(text.charCodeAt(colon + 2)) &&
    !isWhiteSpace(text.charCodeAt(end - 1))
  );
}

/** The value of a field line, without surrounding white space (RFC 9112 §5.1). */
export function valueOf(text: string, colon: number, end: number): string {
  return trimmed(text, colon + 1, end);
}

/** The same for a framing field. A tab that Node's parser does not treat as white space is part of the value. */
export function framingOf(text: string, colon: number, end: number): string {
  const value = valueOf(text, colon, end);
  const tab = text.indexOf('\t', colon);
  return tab >= 0 && tab < end ? `${value}\t` : value;
}

/** Parses an integer of 1 to 15 digits, with any number of zeros before it; -1 when it is malformed. */
export function digitsOf(value: string): number {
  const { length } = value;
  let from = 0;
  while (from < length - 1 && value.charCodeAt(from) === ZERO) from++;
  if (length === 0 || length - from > MAX_DIGITS) return -1;
  let number = 0;
  for (let i = from; i < length; i++) {
    const digit = value.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** Names and values in turn, as Node's parser returns them: values without surrounding white space. */
export function rawFields(text: string): string[] {
  const fields: string[] = [];
  const fieldsEnd = text.length - 2;
  for (let at = text.indexOf('\r\n') + 2; at < fieldsEnd;) {
    const colon = text.indexOf(':', at);
    const end = endOf(text, colon);
    fields.push(text.slice(at, colon), valueOf(text, colon, end));
    at = end + 2;
  }
  return fields;
}

/**
 * The values of the fields with a name in a whole head, joined by the separator; null without one.
 * @param name in lower case
 */
export function lineValue(text: string, name: string, separator: string): string | null {
  let found: string | null = null;
  const fieldsEnd = text.length - 2;
  for (let at = text.indexOf('\r\n') + 2; at < fieldsEnd;) {
    const colon = text.indexOf(':', at);
    const end = endOf(text, colon);
    if (colon - at === name.length && isNamed(text, at, name)) {
      const value = valueOf(text, colon, end);
      found = found === null ? value : found + separator + value;
    }
    at = end + 2;
  }
  return found;
}

/** Formats names and values in turn as lines. */
export function fieldLines(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}

/** Exact as a number, and more than any real length. */
const MAX_DIGITS = 15;
const ZERO = 0x30;
