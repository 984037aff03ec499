import { hostOf } from '../core/routing/hostname.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import { readKey } from '../diagnostics/key-faults.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { UsageError } from './usage.ts';

/**
 * The frontend key that an argument names. Upper case, a port and a trailing dot are removed, as from a Host header;
 * non-ASCII letters become punycode.
 * @param isForced takes it as typed
 * @throws UsageError when no request could match it
 */
export function keyOf(word: string, isForced: boolean, editor: RouteEditor): string {
  if (isForced) return word;
  const { meant, faults } = readKey(word, editor.advice);
  const { host, prefix } = splitKey(word);
  const spellings = [hostOf(aLabelsOf(host)) + prefix, aLabelsOf(host.toLowerCase()) + prefix];
  if (meant !== null && (faults.length === 0 || spellings.includes(meant))) return meant;
  const [{ text } = { text: `${JSON.stringify(word)} is not a host` }] = faults;
  throw new UsageError(meant === null ? text : `${text}; did you mean "${meant}"?`);
}
