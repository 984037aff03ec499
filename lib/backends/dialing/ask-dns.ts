import { promises } from 'node:dns';

/** How long to wait for the other address family after the first reply, ms (RFC 8305 §3). */
const RESOLUTION_DELAY_MS = 50;
/** Time limit of one query to one server, ms. */
const TRY_MS = 1_000;
const TRIES = 2;
/** After this many failures in a row a new resolver is made: the system's servers may have changed. */
const MAX_FAILURES = 3;

/** The addresses of a name, IPv6 first, and their TTL. */
export interface Found {
  readonly addresses: readonly string[];
  readonly ttlMs: number;
  /** The family without a timely reply; 0 when both have replied, even negatively. */
  readonly unheard: 0 | 4 | 6;
}

/** Queries a complete name. @throws Error with a `code`; see `isDenial` */
export type Ask = (name: string) => Promise<Found>;

/** Whether an error is a response: that there is no such name, or no address of it. */
export function isDenial(error: Error & { readonly code?: string }): boolean {
  return error.code === 'ENOTFOUND' || error.code === 'ENODATA';
}

/** Queries DNS servers, with sockets of this event loop. @param servers instead of the system's */
export function askDns(servers: readonly string[] | null = null): Ask {
  let resolver = makeResolver(servers);
  let failures = 0;
  return async (name) => {
    try {
      const found = await askBoth(resolver, name);
      failures = 0;
      return found;
    } catch (error) {
      if (!(error instanceof Error) || isDenial(error)) throw error;
      if (++failures >= MAX_FAILURES) {
        resolver = makeResolver(servers);
        failures = 0;
      }
      throw error;
    }
  };
}

function makeResolver(servers: readonly string[] | null): promises.Resolver {
  const resolver = new promises.Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers !== null) resolver.setServers(servers);
  return resolver;
}

interface Record {
  readonly address: string;
  readonly ttl: number;
}

async function askBoth(resolver: promises.Resolver, name: string): Promise<Found> {
  const asked = [resolver.resolve6(name, { ttl: true }), resolver.resolve4(name, { ttl: true })] as const;
  const answers: (readonly Record[])[] = [[], []];
  const unheard = new Set<4 | 6>([6, 4]);
  const noted = asked.map(async (answer, i) => {
    try {
      answers[i] = await answer;
    } catch (error) {
      if (!(error instanceof Error) || !isDenial(error)) throw error;
      unheard.delete(i === 0 ? 6 : 4);
      throw error;
    }
    unheard.delete(i === 0 ? 6 : 4);
  });
  try {
    await Promise.any(noted);
  } catch (error) {
    const faults: readonly Error[] = error instanceof AggregateError ? error.errors : [];
    // One that is no response counts for more: the other family may be there.
    throw faults.find((fault) => !isDenial(fault)) ?? faults[0] ?? error;
  }
  await Promise.race([Promise.allSettled(noted), delay(RESOLUTION_DELAY_MS)]);
  const records = answers.flat();
  const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000;
  return { addresses: records.map(({ address }) => address), ttlMs, unheard: [...unheard][0] ?? 0 };
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
}
