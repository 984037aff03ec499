import type { BookEntry, BookLook, BookPage, Held, PageOptions, RouteBook } from '../store/book.ts';
import type { DeadMark } from '../store/dead-marks.ts';

/**
 * A book as a running router has it: with the dead marks that only its workers know, since routes come from a file, or
 * Redis has not taken them yet.
 * @param marks gives those of a host, or of all (null)
 */
export function withOwnMarks(book: RouteBook, marks: (host: string | null) => Promise<readonly DeadMark[]>): RouteBook {
  return {
    kind: book.kind,
    name: book.name,
    prefix: book.prefix,
    urls: book.urls,
    look: async (candidates, host): Promise<BookLook> => {
      const [look, own] = await Promise.all([book.look(candidates, host), marks(host)]);
      // The list that the host's route is read from.
      const list = look.lists.find(({ holds }) => holds.length > 1);
      return { ...look, dead: marked(look.dead, list, own) };
    },
    page: async (options: PageOptions): Promise<BookPage> => {
      const [page, own] = await Promise.all([book.page(options), marks(null)]);
      if (own.length === 0) return page;
      const entries = page.entries.map(({ key, list, dead }): BookEntry => {
        const those = own.filter(({ frontend }) => frontend === key);
        return { key, list, dead: marked(dead, list, those) };
      });
      return { ...page, entries };
    },
    near: (host) => book.near(host),
    strays: (cursor, limit) => book.strays(cursor, limit),
    checker: () => book.checker(),
    sideName: (kind, key) => book.sideName(kind, key),
    sides: (kind, keys) => book.sides(kind, keys),
    prefixesAmong: (key, prefixes) => book.prefixesAmong(key, prefixes),
    certificateName: (key) => book.certificateName(key),
    certificate: (key) => book.certificate(key),
    replace: (key, list, options) => book.replace(key, list, options),
    change: (key, edit, options) => book.change(key, edit, options),
    remove: (key, options) => book.remove(key, options),
    changeOptions: (key, changes, options) => book.changeOptions(key, changes, options),
    close: () => book.close(),
  };
}

/** A mark counts only where the URL that died still has its place. */
function marked(dead: Held, list: Held | undefined, own: readonly DeadMark[]): Held {
  const those = own.filter(({ id, url }) => list?.holds[id + 1]?.trim() === url);
  if (those.length === 0 || (dead.type !== 'set' && dead.type !== 'none')) return dead;
  const ids = new Set([...dead.holds, ...those.map(({ id }) => String(id))]);
  const ownLeft = Math.max(...those.map(({ until }) => (until - Date.now()) / 1000));
  const hasNoEnd = dead.type === 'set' && dead.secondsLeft === null;
  const secondsLeft = hasNoEnd ? null : Math.max(dead.secondsLeft ?? 0, ownLeft);
  return { ...dead, type: 'set', holds: [...ids], length: ids.size, secondsLeft };
}
