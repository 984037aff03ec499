import type { RateRule } from '../core/routing/site.ts';

/**
 * The fields of a 429 by a rate limit, names and values in turn: Retry-After (RFC 9110 §10.2.3), and RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers-10).
 * @param waitMs until a request would pass
 */
export function rateFields({ requests, seconds }: RateRule, waitMs: number): readonly string[] {
  const wait = String(Math.max(1, Math.ceil(waitMs / 1000)));
  return [
    'Retry-After',
    wait,
    'RateLimit-Policy',
    `"requests";q=${requests};w=${seconds}`,
    'RateLimit',
    `"requests";r=0;t=${wait}`,
  ];
}

/** The limit, for operators. */
export function inWords({ requests, seconds, burst, by }: RateRule): string {
  const of = typeof by === 'string' ? by : `${by.kind} ${by.name}`;
  return `more than ${requests} requests in ${seconds} s, or ${burst} at once, of one ${of}`;
}
