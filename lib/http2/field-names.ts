/** How many spellings are remembered: backends write few, and always the same. */
const MAX_KNOWN = 1_000;
/** What no field's name is long enough for; longer ones are not worth a place. */
const MAX_LENGTH = 64;

const known = new Map<string, string>();

/**
 * A field's name in lower case (RFC 9113 §8.2.1). The same name is the same string each time: what is looked up by it,
 * here and in node:http2, is found without reading its letters again.
 */
export function lowerName(name: string): string {
  return known.get(name) ?? learn(name);
}

function learn(name: string): string {
  if (name.length > MAX_LENGTH || known.size >= MAX_KNOWN) return name.toLowerCase();
  // A copy: the name may be a slice, which would keep all of its head in memory.
  const copy = Buffer.from(name, 'latin1').toString('latin1');
  const lower = copy.toLowerCase();
  known.set(copy, lower);
  return lower;
}
