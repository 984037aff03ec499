/** Finds keys that were probably meant for a host, but that its requests never look up. Pure functions. */
import { candidates } from '../core/routing/hostname.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import type { Advice } from '../store/editor/advice.ts';
import { wildcardMarks } from './dead-faults.ts';
import type { Explanation } from './explanation.ts';
import type { Fault } from './fault.ts';
import { readBare, readKey, readOtherPrefix, readUnknownKey } from './key-faults.ts';

/** The frontend's key that a key was meant to be, and its problems. */
interface Meaning {
  readonly meant: string;
  readonly faults: readonly Fault[];
}

/** @param keys the result of a search, as the store spells them; many of them are valid keys of other hosts */
export function nearOf(
  keys: readonly string[],
  host: string,
  editor: Pick<RouteEditor, 'advice' | 'frontendKey' | 'prefix'>,
): Explanation['near'] {
  const asked = candidates(host);
  const near: { readonly key: string; readonly faults: readonly Fault[] }[] = [];
  for (const key of keys) {
    const meaning = meaningOf(key, editor);
    if (meaning === null || meaning.faults.length === 0) continue;
    // As with cookies, ".example.com" may be meant for example.com, too.
    const { host: meant } = splitKey(meaning.meant);
    if (asked.includes(meant) || meant === `*.${host}`) near.push({ key, faults: meaning.faults });
  }
  return near.filter(({ key }) => isFor(key, host));
}

function meaningOf(key: string, editor: Pick<RouteEditor, 'advice' | 'frontendKey' | 'prefix'>): Meaning | null {
  const { advice, prefix } = editor;
  const frontend = editor.frontendKey(key);
  if (frontend !== null) return ofFrontend(frontend, advice);
  const dead = `${prefix}dead:`;
  if (key.startsWith(dead)) {
    const host = key.slice(dead.length);
    return host.startsWith('*') ? { meant: host, faults: [wildcardMarks(key)] } : null;
  }
  const unknownKey =
    readUnknownKey(key, prefix, advice) ?? readOtherPrefix(key, prefix, advice) ?? readBare(key, prefix);
  return unknownKey && { meant: unknownKey.meant, faults: [unknownKey.fault] };
}

function ofFrontend(key: string, advice: Advice): Meaning | null {
  const { meant, faults } = readKey(key, advice);
  return meant === null ? null : { meant, faults };
}

/** A wildcard that is too deep is shortened to one that may match many other hosts. */
function isFor(key: string, host: string): boolean {
  const [, suffix] = /\*?\.([^:/\s]+)(?:\/.*)?$/s.exec(key) ?? [];
  const isWildcard = key.includes('*');
  if (!isWildcard || suffix === undefined) return true;
  return `.${host}`.endsWith(`.${aLabelsOf(suffix.toLowerCase()).replace(/\.$/, '')}`);
}
