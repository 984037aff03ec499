/** What a frontend's options add to answers, and change in those of backends. */
import { clientScheme } from '../core/forwarded.ts';
import { type MapBack, mapCookie, mapLocation } from '../core/map-back.ts';
import type { Exchange } from './exchange.ts';

/** Fields for every answer, whoever gives it: names and values in turn. */
export function siteFields({ route, peer, request }: Exchange): readonly string[] {
  const hsts = route?.options.hsts ?? null;
  // RFC 6797 §7.2: not over HTTP in the clear.
  if (hsts === null || clientScheme(peer, request.rawHeaders) !== 'https') return [];
  return ['Strict-Transport-Security', hsts];
}

/**
 * The fields of a backend's answer as clients of this frontend are to see them.
 * @param headers names and values in turn
 * @param hasBackendPath whether the path of the backend's URL was put before the request's
 */
export function adapted(exchange: Exchange, headers: string[], hasBackendPath: boolean): string[] {
  const { route } = exchange;
  if (route === null || (route.options.hsts === null && !route.options.mapBack)) return headers;
  const own = siteFields(exchange);
  const by = route.options.mapBack ? mapBackOf(exchange, hasBackendPath) : null;
  const fields: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    const lower = name.toLowerCase();
    // RFC 6797 §8.1 has clients look at the first of several: the operator's word is the only one.
    if (own.length > 0 && lower === 'strict-transport-security') continue;
    fields.push(name, by === null ? value : mapField(lower, value, by));
  }
  fields.push(...own);
  return fields;
}

function mapField(lower: string, value: string, by: MapBack): string {
  switch (lower) {
    case 'location':
    case 'content-location':
      return mapLocation(value, by);
    case 'set-cookie':
      return mapCookie(value, by);
    default:
      return value;
  }
}

function mapBackOf({ route, trying, peer, request, head }: Exchange, hasBackendPath: boolean): MapBack | null {
  if (route === null || trying === null) return null;
  return {
    rewrite: route.options.rewrite,
    prefix: route.prefix,
    backend: trying,
    backendPath: hasBackendPath ? trying.path : '',
    scheme: clientScheme(peer, request.rawHeaders),
    authority: head?.authority ?? '',
  };
}
