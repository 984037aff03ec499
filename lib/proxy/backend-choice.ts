import type { Balancing } from '../core/routing/choice.ts';
import { choose } from '../core/routing/selection.ts';
import type { Permit } from '../core/routing/site.ts';
import type { Backend, RequestTraits, Route } from '../core/routing/types.ts';
import type { SiteQueue } from '../concurrency/site-queue.ts';
import type { Exchange } from './exchange.ts';
import { waitForBackend } from './permit-wait.ts';

/**
 * Chooses a backend that has room under the site's `maxConnPerBackend`, and waits for one if none has. Null when there is none to
 * try, and when the client has left meanwhile.
 * @throws as `choose` and `SiteQueue` do
 */
export async function chooseWithRoom(
  exchange: Exchange,
  permit: Permit,
  found: Route,
  tried: ReadonlySet<number>,
  traits: RequestTraits,
  parts: Balancing & { readonly queue: SiteQueue },
): Promise<Backend | null> {
  let result: Chosen = { type: 'full' };
  const tries = (): boolean => {
    result = tryToChoose(permit, found, tried, traits, parts);
    return result.type !== 'full';
  };
  if (!tries()) await waitForBackend(exchange, found, parts.queue, tries);
  // An assignment in a function is not seen by the compiler.
  const chosen = result as Chosen;
  if (chosen.type === 'failed') throw chosen.fault;
  return chosen.type === 'chosen' ? chosen.backend : null;
}

type Chosen =
  | { readonly type: 'chosen'; readonly backend: Backend | null }
  | { readonly type: 'failed'; readonly fault: unknown }
  | { readonly type: 'full' };

/** Never throws: another exchange's end may call it. */
function tryToChoose(
  permit: Permit,
  found: Route,
  tried: ReadonlySet<number>,
  traits: RequestTraits,
  balancing: Balancing,
): Chosen {
  try {
    const backend = choose(found, tried, balancing, traits);
    if (backend === null || permit.useBackend(backend)) return { type: 'chosen', backend };
    const { balance } = found.site;
    // A client that returns to its backend waits for it.
    if (balance !== null && balance.held([backend], found, traits, balancing) !== null) return { type: 'full' };
    const full = permit.fullAmong(found.backends);
    if (full.size === 0) return { type: 'full' };
    const other = choose(found, new Set([...tried, ...full]), balancing, traits);
    // A dead one is no better than a full one.
    if (other === null || (found.dead.has(other.id) && !found.dead.has(backend.id))) return { type: 'full' };
    return permit.useBackend(other) ? { type: 'chosen', backend: other } : { type: 'full' };
  } catch (fault) {
    return { type: 'failed', fault };
  }
}
