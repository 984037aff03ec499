/**
 * `balance hash:…`: requests with the same key go to the same backend, in all workers and routers, for as long as it
 * lives. Rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998): of the
 * hashes of the key with each URL, the highest counts. If one of n backends leaves, its keys alone move, to all others.
 * With weights: Mosharaf and Schindelhauer, "Distributed hash tables with weights": -weight / ln(hash).
 */
import { clientKey } from '../limits/client-key.ts';
import type { Backend } from '../routing/backend-url.ts';
import type { RequestTraits } from '../routing/choice.ts';
import { pathOf } from '../routing/prefixes.ts';
import { at, byChance, weightAt } from './draw.ts';
import type { Method } from './method.ts';

/** What is hashed; null: the request does not have it, and chance decides. */
export type KeyOf = (traits: RequestTraits) => string | null;

/** Clients of one IPv6 /64 have one key: their addresses change. */
export const byAddress: KeyOf = ({ clientIp }) => clientKey(clientIp);
export const byPath: KeyOf = ({ path }) => pathOf(path);
export const byAffinity: KeyOf = ({ affinity }) => affinity;

export function rendezvous(keyOf: KeyOf): Method {
  /** By list, then by id. */
  const seeds = new WeakMap<readonly Backend[], Uint32Array>();
  const seedsOf = (backends: readonly Backend[]): Uint32Array => {
    let known = seeds.get(backends);
    if (known === undefined) {
      known = seedsIn(backends);
      seeds.set(backends, known);
    }
    return known;
  };
  return (among, weights, list, traits, balancing) => {
    const key = keyOf(traits);
    if (key === null) return byChance(among, weights, list, traits, balancing);
    const hash = hashOf(key);
    const known = seedsOf(list.backends);
    let highest = -Infinity;
    let chosen = 0;
    for (let i = 0; i < among.length; i++) {
      const mixed = mix(hash, known[at(among, i).id] ?? 0);
      const score = weights === null ? mixed : weightAt(among, weights, i) / -Math.log((mixed + 0.5) / 2 ** 32);
      if (score <= highest) continue;
      highest = score;
      chosen = i;
    }
    return at(among, chosen);
  };
}

/** A URL that is in a list twice has two seeds, and so twice the keys. */
function seedsIn(backends: readonly Backend[]): Uint32Array {
  const seeds = new Uint32Array((backends.at(-1)?.id ?? -1) + 1);
  const times = new Map<string, number>();
  for (const { id, href } of backends) {
    const earlier = times.get(href) ?? 0;
    times.set(href, earlier + 1);
    seeds[id] = hashOf(earlier === 0 ? href : `${href} ${earlier}`);
  }
  return seeds;
}

/** FNV-1a with the finalizer of MurmurHash3, 32 bits. All routers must have the same: a change moves all keys. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return finalized(hash);
}

/** Two rounds, so that the hashes of two keys do not differ in the same way for all seeds. */
function mix(hash: number, seed: number): number {
  return finalized(finalized(hash ^ seed) + seed) >>> 0;
}

function finalized(hash: number): number {
  let mixed = hash | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
