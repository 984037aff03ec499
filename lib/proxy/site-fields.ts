/** Applies a site's features to response heads (see core/routing/site.ts). */
import { clientScheme } from '../core/http/forwarded.ts';
import { NO_SITE, type ResponseScene } from '../core/routing/site.ts';
import type { Backend } from '../core/routing/types.ts';
import type { Exchange } from './exchange.ts';

/**
 * The fields of a backend's response.
 * @param headers names and values in turn
 * @param hasBackendPath whether the path of the backend's URL was put before the request's
 */
export function adapted(exchange: Exchange, headers: string[], hasBackendPath: boolean): string[] {
  const { trying } = exchange;
  return adaptedFor(exchange, headers, trying, hasBackendPath && trying !== null ? trying.path : '');
}

/** The fields of one of the router's own responses. */
export function ownAdapted(exchange: Exchange, headers: string[]): string[] {
  return adaptedFor(exchange, headers, null, '');
}

/** The fields of a 101. */
export function switchingFields({ route }: Exchange, headers: readonly string[]): readonly string[] {
  return route === null ? headers : route.site.adaptSwitching(headers);
}

function adaptedFor(exchange: Exchange, headers: string[], backend: Backend | null, backendPath: string): string[] {
  const { route, peer, request, head } = exchange;
  if (route === null || route.site === NO_SITE) return headers;
  const scene: ResponseScene = {
    scheme: clientScheme(peer, request.rawHeaders),
    authority: head?.authority ?? '',
    prefix: route.prefix,
    backend,
    backendPath,
  };
  return [...route.site.adaptResponse(headers, scene)];
}
