import { addField, emptySection, type FieldSection } from '../core/http/field-section.ts';
import { hopByHop } from '../core/http/hop-by-hop.ts';

/** Whether this Node sends two values of a singleton: since 24.15, with `strictSingleValueFields: false`. */
let takesTwo = true;

/**
 * Notes that this Node sends one value of a singleton, if an error of node:http2 means that. Sections that are made from
 * then on hold one.
 * @returns whether that was not known before: what was refused can be made anew, and sent
 */
export function noteStrictness(error: unknown): boolean {
  if (!takesTwo || (error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_HEADER_SINGLE_VALUE') return false;
  takesTwo = false;
  return true;
}

/**
 * An answer's fields for a stream: less those about an HTTP/1.1 connection and its framing (RFC 9113 §8.2.2).
 * @param fields names in lower case and values in turn
 */
export function responseFields(status: number, fields: readonly string[]): FieldSection {
  const result = emptySection();
  result[':status'] = status;
  const dropped = hopByHop(fields);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    if (dropped.has(name) || name === 'transfer-encoding') continue;
    addField(result, name, value, takesTwo);
  }
  return result;
}

/** A trailer section for a stream. */
export function trailerSection(fields: readonly string[]): FieldSection {
  const result = emptySection();
  for (let i = 0; i < fields.length; i += 2) addField(result, fields[i] ?? '', fields[i + 1] ?? '', takesTwo);
  return result;
}
