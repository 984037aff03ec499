import type { SiteFields } from '../core/routing/site.ts';

/** Converts a hash from Redis' reply, fields and values in turn, to a Map. */
export function fieldsOf(flat: readonly string[]): SiteFields {
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i] ?? '', flat[i + 1] ?? '');
  return fields;
}
