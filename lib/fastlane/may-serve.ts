import type { Site } from '../core/routing/site.ts';
import type { ReadRequest } from './request-grammar.ts';
import { hasBody } from './request-size.ts';

/** Whether the site has no feature for this request or its response that only the full lane implements. */
export function mayServe(request: ReadRequest, site: Site, isTls: boolean): boolean {
  // A forwarded field may say that the client reached another proxy over TLS.
  const scheme = request.fields === null ? 'unknown' : isTls ? 'https' : 'http';
  return site.mayServeFast(request.host, scheme, request.target, hasBody(request));
}
