/** Reads the metadata of lists with its problems, from an editor. */
import { candidates } from '../core/routing/hostname.ts';
import type { SiteFeature } from '../sites/feature.ts';
import { makeSite } from '../sites/site.ts';
import { prefixFault, splitKey } from '../core/routing/prefixes.ts';
import type { StoredValue, RouteEditor, MetadataKind } from '../store/editor/route-editor.ts';
import { fieldsOf } from '../store/fields.ts';
import type { MetadataView } from './explanation.ts';
import type { Fault } from './fault.ts';
import { readKey } from './key-faults.ts';
import { metadataFaultsOf, metadataKeyFault, staleFault } from './site-metadata-faults.ts';
import { wayOf } from './way.ts';

/** How many lists of prefixes are read at a time. */
const TOGETHER = 100;

/**
 * The existing metadata of one kind, of all these keys.
 * @param keys of frontends, or `*` for all frontends
 * @param features those of sites, where they are not FEATURES
 * @throws EditorError
 */
export async function metadataOf(
  editor: RouteEditor,
  kind: MetadataKind,
  keys: readonly string[],
  features?: readonly SiteFeature[],
): Promise<readonly MetadataView[]> {
  const held = await editor.sides(kind, keys);
  const views = keys.map(async (key, i) => {
    const side = held[i];
    return side === undefined || side.type === 'none' ? null : await viewOf(editor, kind, key, side, features);
  });
  return (await Promise.all(views)).filter((view) => view !== null);
}

async function viewOf(
  editor: RouteEditor,
  kind: MetadataKind,
  key: string,
  held: StoredValue,
  features: readonly SiteFeature[] | undefined,
): Promise<MetadataView> {
  const odd = await faultOfKey(editor, kind, key, held.key);
  if (odd !== null) return { key: held.key, type: held.type, faults: [odd] };
  const faults = metadataFaultsOf(kind, held, {
    editor,
    features,
    // What applies to all frontends needs no frontend with this key.
    isServed: (key === '*' && kind !== 'prefixes') || (await isServed(editor, kind, key)),
    bare: kind === 'prefixes' && editor.hasPrefixSets ? await bareOf(editor, key, held.holds) : new Set(),
    unserved: kind === 'options' ? await unservedBy(editor, held) : null,
    unlisted: kind === 'weights' && key !== '*' ? await unlistedIn(editor, key, held) : [],
  });
  return { key: held.key, type: held.type, faults };
}

/** The problem of a key that no request looks up. In a shared Redis, most of these belong to other programs. */
async function faultOfKey(editor: RouteEditor, kind: MetadataKind, key: string, name: string): Promise<Fault | null> {
  const { meant } = readKey(key, editor.advice);
  const hasNone = kind === 'prefixes' && splitKey(key).prefix !== '';
  if (meant === key) return hasNone ? metadataKeyFault(editor, name, null) : null;
  const isOurs = meant !== null && (await isServed(editor, 'options', meant));
  return isOurs ? metadataKeyFault(editor, name, editor.metadataKey(kind, meant)) : staleFault(editor, name);
}

/** Whether a key has a list, or a host has prefixes. For prefixes, each one's list is checked separately. */
async function isServed(editor: RouteEditor, kind: MetadataKind, key: string): Promise<boolean> {
  if (kind === 'prefixes') return true;
  const [{ lists }, [prefixes]] = await Promise.all([editor.look([key], key), editor.sides('prefixes', [key])]);
  return lists.some(({ type }) => type !== 'none') || (prefixes?.length ?? 0) > 0;
}

async function bareOf(editor: RouteEditor, key: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  const bare = new Set<string>();
  const usable = names.filter((name) => prefixFault(name) === null);
  for (let i = 0; i < usable.length; i += TOGETHER) {
    const some = usable.slice(i, i + TOGETHER);
    const { lists } = await editor.look(
      some.map((name) => key + name),
      key,
    );
    // A key that is not a list is reported under its own name.
    for (const [j, { type, length }] of lists.entries()) {
      if (type === 'none' || (type === 'list' && length < 2)) bare.add(some[j] ?? '');
    }
  }
  return bare;
}

/** The URLs of weights that neither the key's list has nor those of its prefixes, which take them from it. */
async function unlistedIn(editor: RouteEditor, key: string, { holds }: StoredValue): Promise<readonly string[]> {
  const [prefixes] = await editor.sides('prefixes', [key]);
  const under = prefixes?.type === 'set' ? prefixes.holds.map((prefix) => key + prefix) : [];
  // More would take long to read, and hosts like that are rare.
  if (under.length >= TOGETHER) return [];
  const { lists } = await editor.look([key, ...under], key);
  const listed = new Set(lists.flatMap((list) => list.holds.slice(1).map((url) => url.trim())));
  return [...fieldsOf(holds).keys()].filter((url) => !listed.has(url.trim()));
}

async function unservedBy(editor: RouteEditor, { holds }: StoredValue): Promise<string | null> {
  const hostname = makeSite({ host: fieldsOf(holds) }).canonicalHost;
  if (hostname === null) return null;
  const { own, paths } = await wayOf(editor, candidates(hostname), hostname, '/');
  return own.type === 'none' && paths < 0 ? hostname : null;
}
