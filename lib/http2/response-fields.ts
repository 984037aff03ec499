import { addField, emptySection, type FieldSection } from '../core/http/field-section.ts';
import { hopByHop } from '../core/http/hop-by-hop.ts';

/** Whether this Node sends two values of a singleton field: since 24.15, with `strictSingleValueFields: false`. */
let takesTwo = true;

/**
 * Checks whether an error means that this Node sends only one value of a singleton field. Field sections made after
 * that have one.
 * @returns true when that was not known before; the caller can make the section again and send it
 */
export function noteStrictness(error: unknown): boolean {
  if (!takesTwo || (error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_HEADER_SINGLE_VALUE') return false;
  takesTwo = false;
  return true;
}

/**
 * The fields of a response to a stream, without those about the HTTP/1.1 connection and its framing (RFC 9113 §8.2.2).
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

/** The trailer section of a stream. */
export function trailerSection(fields: readonly string[]): FieldSection {
  const result = emptySection();
  for (let i = 0; i < fields.length; i += 2) addField(result, fields[i] ?? '', fields[i + 1] ?? '', takesTwo);
  return result;
}
