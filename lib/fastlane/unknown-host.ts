/** Requests for hosts without a route. Clients can make up any number of hosts: such a request costs less than one that is served. */
import { NO_FRONTEND, TOO_MANY_UNKNOWN } from '../core/errors.ts';
import { clientKey } from '../core/limits/client-key.ts';
import type { Account } from './account.ts';
import { hasPage } from './error-page.ts';
import type { OwnedConnection } from './connection-owner.ts';
import type { LaneParts } from './parts.ts';
import type { ResponseRelay } from './response-relay.ts';

/** The key of the error pages for hosts without a route. */
const ALL_SITES = ['*'];

/** Resolves to whether all sites have an error page for them. Never rejects. */
export function hasPageOfAll(parts: LaneParts): Promise<boolean> {
  return hasPage(parts, ALL_SITES, NO_FRONTEND.status);
}

/** Whether a lookup failed because too many hosts had no route. */
export const isTooMany = (fault: unknown): boolean => fault === TOO_MANY_UNKNOWN;

/**
 * Responds to a request for a host without a route.
 * @returns false when the full lane must respond: it discards the body
 */
export function refuseUnknown(
  parts: LaneParts,
  { writer, output }: OwnedConnection,
  account: Account,
  relay: ResponseRelay,
  hostname: string,
): boolean {
  const { request, lookupFault } = account;
  if (request === null || request.framing === 'chunked' || request.length > 0) return false;
  const isFlood = isTooMany(lookupFault);
  account.unknownHost = hostname;
  account.head = writer.write(request);
  output.clientKey = clientKey(account.head.clientIp);
  relay.responseFields = account.head.responseFields;
  relay.respond(isFlood ? parts.own.unknownHosts : parts.own.noFrontend);
  parts.onRefused(isFlood ? TOO_MANY_UNKNOWN : NO_FRONTEND, account.head.clientIp, hostname);
  return true;
}
