/** Keys that were probably meant for a host, and that its requests never ask for. Pure. */
import { candidates } from '../core/hostname.ts';
import { splitKey } from '../core/prefixes.ts';
import type { RouteBook } from '../store/book.ts';
import type { Advice } from './advice.ts';
import { wildcardMarks } from './dead-faults.ts';
import type { Explanation } from './explanation.ts';
import type { Fault } from './fault.ts';
import { readBare, readKey, readOtherPrefix, readStray } from './key-faults.ts';

/** What a key reads as: which frontend's key was meant, and what is wrong with it. */
interface Meaning {
  readonly meant: string;
  readonly faults: readonly Fault[];
}

/** @param keys as the store spells them, what a search has brought: many of them are other hosts', and fine */
export function nearOf(
  keys: readonly string[],
  host: string,
  { kind, prefix }: Pick<RouteBook, 'kind' | 'prefix'>,
  advice: Advice,
): Explanation['near'] {
  const asked = candidates(host);
  const near: { readonly key: string; readonly faults: readonly Fault[] }[] = [];
  for (const key of keys) {
    const meaning = kind === 'file' ? ofFrontend(key, advice) : meaningOf(key, prefix, advice);
    if (meaning === null || meaning.faults.length === 0) continue;
    // Cookies have taught people that ".example.com" is for example.com, too.
    const { host: meant } = splitKey(meaning.meant);
    if (asked.includes(meant) || meant === `*.${host}`) near.push({ key, faults: meaning.faults });
  }
  return near.filter(({ key }) => isFor(key, host));
}

function meaningOf(key: string, prefix: string, advice: Advice): Meaning | null {
  const start = `${prefix}frontend:`;
  if (key.startsWith(start)) return ofFrontend(key.slice(start.length), advice);
  const dead = `${prefix}dead:`;
  if (key.startsWith(dead)) {
    const host = key.slice(dead.length);
    return host.startsWith('*') ? { meant: host, faults: [wildcardMarks(key)] } : null;
  }
  const stray = readStray(key, prefix, advice) ?? readOtherPrefix(key, prefix, advice) ?? readBare(key, prefix);
  return stray && { meant: stray.meant, faults: [stray.fault] };
}

function ofFrontend(key: string, advice: Advice): Meaning | null {
  const { meant, faults } = readKey(key, advice);
  return meant === null ? null : { meant, faults };
}

/** A wildcard that is too deep is shortened to one that may be for many others. */
function isFor(key: string, host: string): boolean {
  const [, suffix] = /\*?\.([^:/\s]+)(?:\/.*)?$/s.exec(key) ?? [];
  const isWildcard = key.includes('*');
  if (!isWildcard || suffix === undefined) return true;
  return `.${host}`.endsWith(`.${suffix.toLowerCase().replace(/\.$/, '')}`);
}
