import { hostOf } from '../core/routing/hostname.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import { readKey } from '../diagnostics/key-faults.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { UsageError } from './usage.ts';

/**
 * The frontend's key that a command line names. Upper case, a port and a trailing dot do not count, as in a Host header; letters
 * beyond ASCII are what clients send for them.
 * @param isForced take it as it was typed
 * @throws UsageError when no request could ask for it
 */
export function keyOf(word: string, isForced: boolean, editor: RouteEditor): string {
  if (isForced) return word;
  const { meant, faults } = readKey(word, editor.advice);
  const { host, prefix } = splitKey(word);
  const spellings = [hostOf(aLabelsOf(host)) + prefix, aLabelsOf(host.toLowerCase()) + prefix];
  if (meant !== null && (faults.length === 0 || spellings.includes(meant))) return meant;
  const [{ text } = { text: `${JSON.stringify(word)} is no host` }] = faults;
  throw new UsageError(meant === null ? text : `${text}; did you mean "${meant}"?`);
}
