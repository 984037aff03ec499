/** `balance`: how a backend is chosen for a request, and `slowStart`. lib/core/balance has the ways. */
import { byChance } from '../core/balance/draw.ts';
import { byLatency } from '../core/balance/latency.ts';
import { leastConnections } from '../core/balance/least-connections.ts';
import { powerOfTwo } from '../core/balance/power-of-two.ts';
import { byAddress, byAffinity, byPath, rendezvous } from '../core/balance/rendezvous.ts';
import { roundRobin } from '../core/balance/round-robin.ts';
import type { MethodRules } from '../core/balance/site-balance.ts';
import { readTrait, wholeNumber } from './field-readers.ts';
import { siteFeature } from './feature.ts';

interface Settings {
  readonly rules: MethodRules | null;
  /** Seconds. */
  readonly slowStart: number;
}

/** The features `balance` and `slowStart`. */
export const balance = siteFeature<Settings>({
  fields: {
    balance: readBalance,
    slowStart: wholeNumber(0, 3600, (slowStart) => ({ slowStart })),
  },
  defaults: { rules: null, slowStart: 0 },
  behaviour: ({ rules, slowStart }) => ({
    mayServeFast: () => true,
    balance: { ...rules, slowStartMs: slowStart * 1000 },
  }),
});

const WAYS: ReadonlyMap<string, MethodRules> = new Map(
  Object.entries({
    random: { method: byChance, text: 'with equal probability', trait: null },
    p2c: { method: powerOfTwo, text: 'of two drawn by chance the one with fewer requests', trait: null },
    leastconn: { method: leastConnections, text: 'the one with the fewest requests', trait: null },
    roundrobin: { method: roundRobin, text: 'each in its turn', trait: null },
    latency: { method: byLatency, text: 'of two drawn by chance the faster one', trait: null },
    'hash:ip': { method: rendezvous(byAddress), text: 'by a hash of the client address', trait: null },
    'hash:path': { method: rendezvous(byPath), text: 'by a hash of the path', trait: null },
  }),
);

const EXPECTED =
  'it must be random, p2c, leastconn, roundrobin, latency, hash:ip, hash:path, hash:header:NAME or hash:cookie:NAME';

function readBalance(text: string): Pick<Settings, 'rules'> | string {
  const rules = WAYS.get(text.toLowerCase());
  if (rules !== undefined) return { rules };
  const [, whole = ''] = /^hash:(.*)$/is.exec(text) ?? [];
  const trait = readTrait(whole);
  if (trait === null) return EXPECTED;
  if (typeof trait === 'string') return trait;
  const name = whole.slice(whole.indexOf(':') + 1);
  return { rules: { method: rendezvous(byAffinity), text: `by a hash of the ${trait.kind} ${name}`, trait } };
}
