import { STATIC_INDICES } from './static-table.ts';

/** Names that browsers and proxies send, and that the static table does not have. */
const MORE =
  ':protocol access-control-request-headers access-control-request-method cdn-loop content-security-policy dnt ' +
  'forwarded grpc-accept-encoding grpc-encoding grpc-timeout origin pragma priority ' +
  'sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc ' +
  'sec-websocket-extensions sec-websocket-protocol sec-websocket-version te traceparent tracestate trailer ' +
  'upgrade-insecure-requests x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip ' +
  'x-request-id x-requested-with';

const KNOWN: ReadonlyMap<string, string> = new Map(
  [...STATIC_INDICES.keys(), ...MORE.split(' ')].map((name) => [name, name] as const),
);

/** The same name; for frequent ones always the same string object, which comparisons and lookups are fast with. */
export function knownName(name: string): string {
  return KNOWN.get(name) ?? name;
}
