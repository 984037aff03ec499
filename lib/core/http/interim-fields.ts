import { hopByHop } from './hop-by-hop.ts';

/** Fields about a body, which a 1xx does not have. */
const NOT_IN_INTERIM = new Set(['content-length', 'transfer-encoding', 'x-router-error']);

/**
 * The fields of a 1xx to send on: without those of one connection and those that frame a body (RFC 9110 §8.6).
 * @param raw names and values in turn
 * @param kept lower-case names that are sent on although they belong to one connection: a 101 has such
 */
export function interimFields(raw: readonly string[], kept: ReadonlySet<string> | null = null): string[] {
  const dropped = hopByHop(raw);
  return raw.filter((_, i) => {
    const name = raw[i - (i % 2)]?.toLowerCase() ?? '';
    return kept?.has(name) === true || (!dropped.has(name) && !NOT_IN_INTERIM.has(name));
  });
}
