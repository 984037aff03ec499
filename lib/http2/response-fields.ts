import { isSingleton } from '../core/http/field-section.ts';
import { hopByHop } from '../core/http/hop-by-hop.ts';

/**
 * The fields of a response to a stream, or its trailers: without those about the HTTP/1.1 connection and its framing
 * (RFC 9113 §8.2.2). A field that a message has once, and that came twice with one value, is sent once.
 * @param fields names in lower case and values in turn
 */
export function responseFields(fields: readonly string[]): string[] {
  const result: string[] = [];
  const dropped = hopByHop(fields);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    if (dropped.has(name) || name === 'transfer-encoding' || isRepeated(result, name, value)) continue;
    result.push(name, value);
  }
  return result;
}

/** Whether a singleton field with this value is in the section. */
function isRepeated(section: readonly string[], name: string, value: string): boolean {
  if (!isSingleton(name)) return false;
  for (let i = 0; i < section.length; i += 2) if (section[i] === name && section[i + 1] === value) return true;
  return false;
}

/** The fields without those of one name. @param fields names in lower case and values in turn */
export function fieldsWithout(name: string, fields: readonly string[]): string[] {
  return fields.filter((_, i) => fields[i - (i % 2)] !== name);
}

/** The first value of a field; null where there is none. @param fields names in lower case and values in turn */
export function valueOf(name: string, fields: readonly string[]): string | null {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] ?? null;
  return null;
}
