/** Requests for hosts without a route. Clients can make up any number of hosts: such a request costs less than one that is served. */
import { NO_FRONTEND, type RouterError, TOO_MANY_UNKNOWN } from '../core/errors.ts';
import { clientKey } from '../core/limits/client-key.ts';
import type { Account } from './account.ts';
import type { OwnedConnection } from './connection-owner.ts';
import type { LaneParts, UnknownCode } from './parts.ts';
import type { ResponseRelay } from './response-relay.ts';

/** The key of the error pages for hosts without a route. */
const ALL_SITES = ['*'];

/** Resolves to whether all sites have an error page for them. As in the full lane, a page that cannot be read is none. Never rejects. */
export function hasPage({ store }: LaneParts): Promise<boolean> {
  return store.page(ALL_SITES, NO_FRONTEND.status).then(
    (html) => html !== null,
    () => false,
  );
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
  const [error, code]: [RouterError, UnknownCode] = isTooMany(lookupFault)
    ? [TOO_MANY_UNKNOWN, 'unknown-hosts']
    : [NO_FRONTEND, 'no-frontend'];
  account.unknownHost = hostname;
  account.head = writer.write(request);
  output.clientKey = clientKey(account.head.clientIp);
  relay.responseFields = account.head.responseFields;
  relay.respond(parts.unknown[code]);
  parts.onUnknown(error, account.head.clientIp, hostname);
  return true;
}
