/** Parsers of fields that several features share. */
import { isToken } from '../core/http/token.ts';
import type { Trait } from '../core/routing/choice.ts';
import type { FieldReader } from './feature.ts';

/** `1`, `0`, `true` or `false`. */
export function flag<Settings>(made: (flag: boolean) => Partial<Settings>): FieldReader<Settings> {
  return (text) => {
    const lower = text.toLowerCase();
    if (lower === '1' || lower === 'true') return made(true);
    return lower === '0' || lower === 'false' ? made(false) : 'it must be 1 or 0';
  };
}

/** A whole number within bounds, these included. */
export function wholeNumber<Settings>(
  min: number,
  max: number,
  made: (number: number) => Partial<Settings>,
): FieldReader<Settings> {
  return (text) => {
    const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
    return number >= min && number <= max ? made(number) : `it must be a whole number from ${min} to ${max}`;
  };
}

/** A whole number within bounds, or `off`: null. */
export function wholeNumberOrOff<Settings>(
  min: number,
  max: number,
  made: (number: number | null) => Partial<Settings>,
): FieldReader<Settings> {
  const readNumber = wholeNumber<Settings>(min, max, made);
  return (text) => {
    const read = text === 'off' ? made(null) : readNumber(text);
    return typeof read === 'string' ? `${read}, or "off"` : read;
  };
}

const MAX_NAME = 100;

/** `header:NAME` or `cookie:NAME`. Null for any other text; a string says why the name cannot be used. */
export function readTrait(text: string): Trait | string | null {
  const [, word = '', name = ''] = /^(header|cookie):(.*)$/is.exec(text) ?? [];
  const kind = word.toLowerCase();
  if (kind !== 'header' && kind !== 'cookie') return null;
  if (!isToken(name) || name.length > MAX_NAME) return `"${name.slice(0, MAX_NAME)}" cannot be the name of a ${kind}`;
  // Names of fields are the same in any case (RFC 9110 §5.1), those of cookies are not (RFC 6265 §5.4).
  return { kind, name: kind === 'header' ? name.toLowerCase() : name };
}
