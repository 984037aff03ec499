/** What stands beside lists, with what is wrong with it: read from a book. */
import { candidates } from '../core/hostname.ts';
import { optionFault } from '../core/options.ts';
import { prefixFault, splitKey } from '../core/prefixes.ts';
import { readCanonical } from '../core/redirect.ts';
import type { Held, RouteBook, SideKind } from '../store/book.ts';
import { fieldsOf } from '../store/fields.ts';
import { adviceFor } from './frontend.ts';
import type { SideView } from './explanation.ts';
import type { Fault } from './fault.ts';
import { readKey } from './key-faults.ts';
import { faultsOfSide, sideKeyFault, staleFault } from './side-faults.ts';
import { wayOf } from './way.ts';

/** Lists of prefixes that are looked at together. */
const TOGETHER = 100;

/**
 * Those of one kind that are there, of all these keys.
 * @param keys of frontends, or `*` for what holds for all
 * @throws BookError
 */
export async function sidesOf(book: RouteBook, kind: SideKind, keys: readonly string[]): Promise<readonly SideView[]> {
  const held = await book.sides(kind, keys);
  const views = keys.map(async (key, i) => {
    const side = held[i];
    return side === undefined || side.type === 'none' ? null : await viewOf(book, kind, key, side);
  });
  return (await Promise.all(views)).filter((view) => view !== null);
}

async function viewOf(book: RouteBook, kind: SideKind, key: string, held: Held): Promise<SideView> {
  const odd = await faultOfKey(book, kind, key, held.key);
  if (odd !== null) return { key: held.key, type: held.type, faults: [odd] };
  const faults = faultsOfSide(kind, held, {
    book,
    // What is said of all frontends needs none that has this key.
    isServed: (key === '*' && kind !== 'prefixes') || (await isServed(book, kind, key)),
    bare: kind === 'prefixes' && book.kind === 'redis' ? await bareOf(book, key, held.holds) : new Set(),
    unserved: kind === 'options' ? await unservedBy(book, held) : null,
  });
  return { key: held.key, type: held.type, faults };
}

/** What is wrong with a key that nobody asks for. In a Redis that others use, most of these are theirs. */
async function faultOfKey(book: RouteBook, kind: SideKind, key: string, name: string): Promise<Fault | null> {
  const { meant } = readKey(key, adviceFor(book));
  const hasNone = kind === 'prefixes' && splitKey(key).prefix !== '';
  if (meant === key) return hasNone ? sideKeyFault(book, name, null) : null;
  const isOurs = meant !== null && (await isServed(book, 'options', meant));
  return isOurs ? sideKeyFault(book, name, book.sideName(kind, meant)) : staleFault(book, name);
}

/** Whether a key has a list, or a host prefixes. Of prefixes alone it is told one by one whether they have lists. */
async function isServed(book: RouteBook, kind: SideKind, key: string): Promise<boolean> {
  if (kind === 'prefixes') return true;
  const [{ lists }, [prefixes]] = await Promise.all([book.look([key], key), book.sides('prefixes', [key])]);
  return lists.some(({ type }) => type !== 'none') || (prefixes?.length ?? 0) > 0;
}

async function bareOf(book: RouteBook, key: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  const bare = new Set<string>();
  const usable = names.filter((name) => prefixFault(name) === null);
  for (let i = 0; i < usable.length; i += TOGETHER) {
    const some = usable.slice(i, i + TOGETHER);
    const { lists } = await book.look(
      some.map((name) => key + name),
      key,
    );
    // What is no list is told of under its own key.
    for (const [j, { type, length }] of lists.entries()) {
      if (type === 'none' || (type === 'list' && length < 2)) bare.add(some[j] ?? '');
    }
  }
  return bare;
}

async function unservedBy(book: RouteBook, { holds }: Held): Promise<string | null> {
  const text = fieldsOf(holds).get('canonical');
  if (text === undefined || optionFault('canonical', text) !== null) return null;
  const hostname = readCanonical(text)?.hostname;
  if (hostname === undefined) return null;
  const { own, paths } = await wayOf(book, candidates(hostname), hostname, '/');
  return own.type === 'none' && paths < 0 ? hostname : null;
}
