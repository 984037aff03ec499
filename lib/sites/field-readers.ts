/** Parsers of fields that several features share. */
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
