import type {
  StoredFrontend,
  StoredCandidates,
  FrontendPage,
  StoredValue,
  PageOptions,
  RouteEditor,
} from '../store/editor/route-editor.ts';
import { hasSharedList } from '../store/checks.ts';
import { type DeadMark, plainEndOf, recordsOf } from '../store/dead-marks.ts';
import { withRouterMarks } from '../store/editor/router-marks.ts';

/**
 * An editor that also has the dead marks which only the workers know: because routes come from a file, or because Redis
 * has not received them yet.
 * @param marks returns those of a host, or all (null)
 */
export function withOwnMarks(
  editor: RouteEditor,
  marks: (host: string | null) => Promise<readonly DeadMark[]>,
): RouteEditor {
  return {
    isInMemory: editor.isInMemory,
    hasPrefixSets: editor.hasPrefixSets,
    advice: editor.advice,
    frontendName: (key) => editor.frontendName(key),
    frontendKey: (name) => editor.frontendKey(name),
    name: editor.name,
    writeName: editor.writeName,
    prefix: editor.prefix,
    urls: editor.urls,
    look: async (candidates, host): Promise<StoredCandidates> => {
      const [look, own] = await Promise.all([editor.look(candidates, host), marks(host)]);
      // The list that the host's route is read from.
      const list = look.lists.find(({ holds }) => holds.length > 1);
      return { ...look, ...marked(look, list, own) };
    },
    page: async (options: PageOptions): Promise<FrontendPage> => {
      const [page, own] = await Promise.all([editor.page(options), marks(null)]);
      if (own.length === 0) return page;
      const entries = page.entries.map((entry): StoredFrontend => {
        const those = own.filter(({ frontend }) => frontend === entry.key);
        return { ...entry, ...marked(entry, entry.list, those) };
      });
      return { ...page, entries };
    },
    near: (host) => editor.near(host),
    unknownKeys: (cursor, limit) => editor.unknownKeys(cursor, limit),
    checker: () => editor.checker(),
    checks: async (key) => {
      const [checks, own] = await Promise.all([editor.checks(key), hasSharedList(key) ? marks(key) : []]);
      if (own.length === 0) return checks;
      const downSeconds = Math.max(checks.downSeconds ?? 0, ...own.map(({ until }) => (until - Date.now()) / 1000));
      return { ...checks, down: [...checks.down, ...own.map(({ url }) => url)], downSeconds };
    },
    metadataKey: (kind, key) => editor.metadataKey(kind, key),
    sides: (kind, keys) => editor.sides(kind, keys),
    prefixesAmong: (key, prefixes) => editor.prefixesAmong(key, prefixes),
    certificateName: (key) => editor.certificateName(key),
    certificate: (key) => editor.certificate(key),
    certificateFiles: (key) => editor.certificateFiles(key),
    writeCertificate: (key, pair) => editor.writeCertificate(key, pair),
    replace: (key, list, options) => editor.replace(key, list, options),
    change: (key, edit, options) => editor.change(key, edit, options),
    remove: (key, options) => editor.remove(key, options),
    changeFields: (hash, key, changes, options) => editor.changeFields(hash, key, changes, options),
    sets: (keys, options) => editor.sets(keys, options),
    writeSets: (changes, options) => editor.writeSets(changes, options),
    clearDead: (host, urls, url) => editor.clearDead(host, urls, url),
    log: (query) => editor.log(query),
    close: () => editor.close(),
  };
}

type Marked = Pick<StoredCandidates, 'dead' | 'marks' | 'deaths'>;

/** A mark counts only while the backend that died is still at its position in the list. */
function marked(stored: Marked, list: StoredValue | undefined, own: readonly DeadMark[]): Marked {
  const now = Date.now();
  const counted = own.filter(({ id, url }) => list?.holds[id + 1]?.trim() === url);
  if (counted.length === 0 || (stored.dead.type !== 'set' && stored.dead.type !== 'none')) return stored;
  const deaths = new Map([...stored.deaths, ...recordsOf(counted, now)]);
  const those = counted.filter((mark) => plainEndOf(mark) > now);
  const left = Math.max(...those.map((mark) => (plainEndOf(mark) - now) / 1000));
  const added = those.map(({ id, url }) => [id, url] as const);
  return { ...withRouterMarks(stored, added, left), deaths };
}
