/** Choices without sockets: loads, chance and time are the test's. */
import assert from 'node:assert/strict';
import { RecentTurns } from '../../lib/core/balance/turns.ts';
import { buildRoute, NO_MARKS } from '../../lib/core/routing/backend.ts';
import type { Balancing, RestingBackends, TrialChoice } from '../../lib/core/routing/choice.ts';
import { choose, NO_LOAD, NO_RESTS, NO_TRIALS, pickRandom } from '../../lib/core/routing/selection.ts';
import type { Backend, BackendLoad, RequestTraits, Route } from '../../lib/core/routing/types.ts';
import { layerOf, makeSite } from '../../lib/sites/site.ts';
import { seeded } from './random.ts';

export const TRAITS: RequestTraits = {
  method: 'GET',
  path: '/',
  clientIp: '192.0.2.1',
  hasBody: false,
  affinity: null,
  cookies: [],
};

export type Fields = Readonly<Record<string, string>>;

const of = (fields: Fields) => new Map(Object.entries(fields));

/** `http://10.0.0.1` and so on. */
export function urlsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `http://10.0.${i >> 8}.${(i & 255) + 1}`);
}

/** A route whose site has these options and weights. */
export function routeWith(urls: readonly string[], options: Fields, marks = NO_MARKS, weights: Fields = {}): Route {
  const site = makeSite({ host: layerOf({ options: of(options), weights: of(weights) }) });
  return { ...buildRoute('x.io', 'x.io', ['x', ...urls], marks, () => assert.fail()), site };
}

/** Balancing whose loads and clock a test sets. */
export class Scene implements Balancing {
  readonly select = pickRandom;
  readonly turns = new RecentTurns();
  /** As a secret would make them, but legible. */
  readonly sticky = {
    isReady: () => true,
    ready: () => Promise.resolve(),
    valueOf: ({ href }: Backend, key: string) => `${key} ${href}`,
  };
  readonly trials: TrialChoice = NO_TRIALS;
  readonly outliers: RestingBackends = NO_RESTS;
  readonly random: () => number;
  /** By id. */
  readonly loads: Partial<BackendLoad>[] = [];
  time = 0;
  zone: string | null = null;
  /** Since when backends live, by id. */
  readonly alive: number[] = [];

  constructor(seed = 1) {
    this.random = seeded(seed);
  }

  readonly now = (): number => this.time;
  readonly loadOf = ({ id }: Backend): BackendLoad => ({ ...NO_LOAD, ...this.loads[id] });

  readonly aliveSince = ({ id }: Backend, isDead: boolean): number => {
    const since = isDead ? this.time : (this.alive[id] ?? this.time);
    this.alive[id] = since;
    return since;
  };

  /** The id of the chosen backend; -1 for none. */
  choose(route: Route, traits: Partial<RequestTraits> = {}, tried: readonly number[] = []): number {
    return choose(route, new Set(tried), this, { ...TRAITS, ...traits })?.id ?? -1;
  }

  /** How often each backend is chosen, by id. */
  count(route: Route, times: number): readonly number[] {
    const counts = Array<number>(route.backends.length).fill(0);
    for (let i = 0; i < times; i++) {
      const id = this.choose(route);
      counts[id] = (counts[id] ?? 0) + 1;
    }
    return counts;
  }
}

/**
 * Pearson's χ² of counts against shares, over the degrees of freedom: about 1 for chance; above 6 in less than one of
 * 10,000 cases with three degrees or more.
 */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  let chi = 0;
  for (const [i, share] of shares.entries()) {
    const wanted = (total * share) / whole;
    if (wanted > 0) chi += ((counts[i] ?? 0) - wanted) ** 2 / wanted;
    else assert.equal(counts[i] ?? 0, 0);
  }
  return chi / Math.max(1, shares.filter((share) => share > 0).length - 1);
}
