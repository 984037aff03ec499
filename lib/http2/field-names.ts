/** How many spellings are cached. Backends send few different ones. */
const MAX_KNOWN = 1_000;
/** Names longer than this are not cached. */
const MAX_LENGTH = 64;

const known = new Map<string, string>();

/**
 * A field name in lower case (RFC 9113 §8.2.1). Equal names are the same string object, so that lookups by name need not
 * hash the characters again.
 */
export function lowerName(name: string): string {
  return known.get(name) ?? learn(name);
}

function learn(name: string): string {
  if (name.length > MAX_LENGTH || known.size >= MAX_KNOWN) return name.toLowerCase();
  // A copy: `name` may be a slice, which would keep the whole head in memory.
  const copy = Buffer.from(name, 'latin1').toString('latin1');
  const lower = copy.toLowerCase();
  known.set(copy, lower);
  return lower;
}
