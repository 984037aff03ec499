/** Exchanges that wait for permits of their site. Bodies are not read meanwhile. */
import type { RouterError } from '../core/errors.ts';
import type { Route } from '../core/routing/types.ts';
import type { Permits } from '../concurrency/permits.ts';
import type { SiteQueue } from '../concurrency/site-queue.ts';
import type { Exchange } from './exchange.ts';

export interface PermitParts {
  readonly permits: Pick<Permits, 'enter'>;
  readonly queue: SiteQueue;
}

/**
 * Takes a permit for the exchange, unless the fast lane has done so, or the site has no limit. Resolves when it has one, or when
 * the client has left.
 * @throws RouterError `site-busy` when too many wait, or it has waited for too long
 */
export async function takePermit(
  exchange: Exchange,
  { key, site }: Route,
  { permits, queue }: PermitParts,
): Promise<void> {
  const { concurrency: rule } = site;
  if (rule === null || exchange.permit !== null) return;
  const permit = permits.enter(key, rule);
  if (permit !== null) return exchange.keep(permit);
  await inQueue(exchange, (served, refused) =>
    queue.waitForSite(
      exchange,
      key,
      rule,
      (given) => {
        exchange.keep(given);
        served();
      },
      refused,
    ),
  );
}

/**
 * Waits until a backend has room. @param tries uses one; returns whether it did. Must not throw
 * @throws as `takePermit` does
 */
export async function waitForBackend(
  exchange: Exchange,
  { key, site }: Route,
  queue: SiteQueue,
  tries: () => boolean,
): Promise<void> {
  const { concurrency: rule } = site;
  if (rule === null) return;
  await inQueue(exchange, (served, refused) => queue.waitForBackend(exchange, key, rule, tries, served, refused));
}

function inQueue(
  exchange: Exchange,
  join: (served: () => void, refused: (error: RouterError) => void) => () => void,
): Promise<void> {
  const waited = new Promise<void>((resolve, reject) => {
    const leave = join(resolve, reject);
    const stop = (): void => {
      leave();
      resolve();
    };
    exchange.onInterrupt = stop;
    // An upgrade's socket may close without an interruption.
    void exchange.ended.then(stop);
  });
  return waited.finally(() => (exchange.onInterrupt = null));
}
