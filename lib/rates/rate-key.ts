/** What a rate limit is of, for one request. */
import { createHash } from 'node:crypto';
import { traitIn } from '../core/http/trait.ts';
import type { RateRule } from '../core/routing/site.ts';

/**
 * The client, the host, or a digest of the value that a site's rate limit is of. Requests without such a field or cookie count for
 * their client.
 * @param client as `clientKey` returns it @param fields of the request, from which `valueIn` reads
 */
export function rateKey<Fields>(
  { by }: RateRule,
  client: string,
  host: string,
  fields: Fields,
  valueIn: (fields: Fields, name: string, separator: string) => string | null,
): string {
  if (by === 'client') return client;
  if (by === 'host') return host;
  const value = traitIn(by, (name, separator) => valueIn(fields, name, separator));
  // Values may be long, and secret.
  return value === null ? client : `=${createHash('sha256').update(value).digest('base64url')}`;
}
