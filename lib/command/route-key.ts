import { hostOf } from '../core/hostname.ts';
import { splitKey } from '../core/prefixes.ts';
import { adviceFor } from '../vhosts/frontend.ts';
import { readKey } from '../vhosts/key-faults.ts';
import type { RouteBook } from '../store/book.ts';
import { UsageError } from './usage.ts';

/**
 * The frontend's key that somebody means. Upper case, a port and a trailing dot do not count, as in a Host header.
 * @param isForced take it as it was typed
 * @throws UsageError when no request could ask for it
 */
export function keyOf(word: string, isForced: boolean, book: RouteBook): string {
  if (isForced) return word;
  const { meant, faults } = readKey(word, adviceFor(book));
  const { host, prefix } = splitKey(word);
  const spellings = [hostOf(host) + prefix, host.toLowerCase() + prefix];
  if (meant !== null && (faults.length === 0 || spellings.includes(meant))) return meant;
  const [{ text } = { text: `${JSON.stringify(word)} is no host` }] = faults;
  throw new UsageError(meant === null ? text : `${text}; did you mean "${meant}"?`);
}
