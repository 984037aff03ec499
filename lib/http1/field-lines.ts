/** Reading field lines in place: the grammar has matched, so each is a token, a colon, a value and CRLF. */
import { aliasedName } from '../core/http/field-alias.ts';
import { isWhiteSpace, trimmed } from '../core/http/white-space.ts';

/** What tells a letter's two cases apart. No other sign of a token becomes one of a name's by it. */
const CASE = 0x20;
const SPACE = 0x20;

/** Whether a line's name is this one. @param name in lower case, and as long as the line's */
export function isNamed(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if ((text.charCodeAt(at + i) | CASE) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether a line's name is this one to a CGI program: see core/field-alias.ts. Both are as long. */
export function isAliasOf(text: string, at: number, name: string): boolean {
  // No other name of that length begins with the same letter, most of the time.
  if ((text.charCodeAt(at) | CASE) !== name.charCodeAt(0)) return false;
  return aliasedName(text.slice(at, at + name.length).toLowerCase()) === name;
}

/** Where a line ends. @param colon its own */
export function endOf(text: string, colon: number): number {
  return text.indexOf('\r', colon);
}

/** Exactly one space before a value and none after it: as Node writes a field, too. */
export function isNeat(text: string, colon: number, end: number): boolean {
  return (
    text.charCodeAt(colon + 1) === SPACE &&
    !isWhiteSpace(text.charCodeAt(colon + 2)) &&
    !isWhiteSpace(text.charCodeAt(end - 1))
  );
}

/** The value of a field line, without the white space around it (RFC 9112 §5.1). */
export function valueOf(text: string, colon: number, end: number): string {
  return trimmed(text, colon + 1, end);
}

/** The same for a framing field. Where Node's parser does not take a tab for white space, it is part of the value here. */
export function framingOf(text: string, colon: number, end: number): string {
  const value = valueOf(text, colon, end);
  const tab = text.indexOf('\t', colon);
  return tab >= 0 && tab < end ? `${value}\t` : value;
}

/** A whole number of 1 to 15 digits, with any number of zeros before it; -1 when it is none. */
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

/** Names and values in turn, as Node's parser gives them: without the white space around a value. */
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

/** Names and values in turn, as lines. */
export function fieldLines(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}

/** Counted exactly, and more than anybody sends. */
const MAX_DIGITS = 15;
const ZERO = 0x30;
