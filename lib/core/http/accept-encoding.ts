/** Which content coding a client prefers (RFC 9110 §12.5.3). Pure. */

import { trimmed } from './white-space.ts';

/** Codings of precompressed files, the smallest first. */
export type Coding = 'br' | 'gzip';

/** The weight of a coding that is neither named nor forbidden: used if nothing else is available. */
const UNNAMED = 0.0001;

const ITEM = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*;[ \t]*q=([01](?:\.[0-9]{0,3})?))?$/i;

/**
 * Of the codings that are there, those that the client takes rather than the plain form, best first; of two that it
 * likes equally the first of the list.
 * @param field Accept-Encoding as sent, or undefined; what of it cannot be read is left out
 */
export function codingsFor(field: string | undefined, there: readonly Coding[]): readonly Coding[] {
  if (field === undefined || there.length === 0) return [];
  const weights = weightsOf(field);
  const others = weights.get('*');
  const plain = weights.get('identity') ?? others ?? UNNAMED;
  return there
    .map((coding) => ({ coding, weight: weights.get(coding) ?? others ?? 0 }))
    .filter(({ weight }) => weight > 0 && weight >= plain)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ coding }) => coding);
}

function weightsOf(field: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of field.split(',')) {
    const [, name, weight = '1'] = ITEM.exec(trimmed(item)) ?? [];
    if (name === undefined) continue;
    const lower = name.toLowerCase();
    // RFC 9110 §8.4.1.3: another name for the same.
    weights.set(lower === 'x-gzip' ? 'gzip' : lower, Math.min(1, Number(weight)));
  }
  return weights;
}
