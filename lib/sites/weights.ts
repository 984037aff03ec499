/** `weights:<key>`: how many requests each backend gets, by its URL. */
import { readWeight, type Weight } from '../core/balance/weights.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import type { SiteFeature } from './feature.ts';
import { HASH_RULES } from './hashes.ts';

/** Fields of other hashes look different: no option has a slash, and no header field's name begins like this. */
const URL_LIKE = /^\s*(?:https?|h2c?|file|redirect(?:\+https?)?):\/\//i;
const MAX_URL = 2_000;

export const weights: SiteFeature = {
  hash: 'weights',
  fieldNames: [],
  has: (field) => URL_LIKE.test(field),
  // Elements of lists are trimmed, too.
  identityOf: (field) => field.trim(),
  isOfThePath: () => false,
  fault: (field, text) => {
    const read = readField(field, text);
    return typeof read === 'string' ? read : null;
  },
  behaviour: (fields) => {
    const read = new Map<string, Weight>();
    for (const [field, text] of fields) {
      const weight = readField(field, text);
      if (typeof weight === 'object') read.set(field.trim(), weight);
    }
    return { mayServeFast: () => true, balance: { weights: read } };
  },
  idle: () => null,
};

/** @returns a string that says what is wrong, where something is */
function readField(field: string, text: string): Weight | string {
  if (!URL_LIKE.test(field)) return HASH_RULES.weights.unknown;
  if (field.length > MAX_URL) return `a URL has ${MAX_URL} characters at most`;
  const parsed = parseBackend(field, 0);
  return 'fault' in parsed ? `it is no URL of a backend: ${parsed.fault}` : readWeight(text);
}
