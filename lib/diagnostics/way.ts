/** Finds the list that a request uses, by the router's own rules, from an operator's editor. */
import { cutsOf, pathOf } from '../core/routing/prefixes.ts';
import type {
  StoredCandidates,
  StoredDeaths,
  StoredValue,
  MarkedUrls,
  RouteEditor,
} from '../store/editor/route-editor.ts';
import { type Lookup, lookupOfPipeline } from '../store/redis/codec.ts';

/** A matching prefix, and the content of its list. */
export interface PathLook {
  readonly prefix: string;
  /** The host's key and the prefix. */
  readonly key: string;
  readonly list: StoredValue;
  readonly dead: StoredValue;
  readonly marks: MarkedUrls;
  readonly deaths: StoredDeaths;
}

/** The keys that a lookup reads, and the list that it uses. */
export interface Way {
  /** The content of the host's own keys. */
  readonly look: StoredCandidates;
  /** The result of the lookup of the host's own lists. */
  readonly own: Lookup;
  /** The index of the last candidate that counts. */
  readonly last: number;
  /** The `prefixes:` key of each of those. */
  readonly prefixes: readonly StoredValue[];
  /** The candidate whose prefixes count; -1 when no candidate has prefixes. */
  readonly paths: number;
  /** The longest matching prefix that has a backend, or is broken; null where the host's own list counts. */
  readonly hit: PathLook | null;
  /** Longer ones, whose lists have no backend. */
  readonly passed: readonly PathLook[];
}

/** @param keys the host's candidates. @throws EditorError */
export async function wayOf(editor: RouteEditor, keys: readonly string[], host: string, path: string): Promise<Way> {
  const look = await editor.look(keys, host);
  const own = lookupOf(look);
  const isOver = own.type !== 'none' && !(own.type === 'found' && own.list.length === 1);
  const last = isOver ? own.index : keys.length - 1;
  const prefixes = await editor.sides('prefixes', keys.slice(0, last + 1));
  const paths = prefixes.findIndex(({ type, length }) => type === 'set' && length > 0);
  const key = keys[paths];
  if (key === undefined) return { look, own, last, prefixes, paths, hit: null, passed: [] };
  const passed: PathLook[] = [];
  for (const prefix of await editor.prefixesAmong(key, cutsOf(pathOf(path)))) {
    const found = await lookAt(editor, key, host, prefix);
    const { type } = found.lookup;
    const isBare = type === 'none' || (type === 'found' && found.lookup.list.length < 2);
    if (!isBare) return { look, own, last, prefixes, paths, hit: found.at, passed };
    passed.push(found.at);
  }
  return { look, own, last, prefixes, paths, hit: null, passed };
}

async function lookAt(editor: RouteEditor, key: string, host: string, prefix: string) {
  const look = await editor.look([key + prefix], host + prefix);
  const [list = nothingAt(key + prefix)] = look.lists;
  const { dead, marks, deaths } = look;
  return { at: { prefix, key: key + prefix, list, dead, marks, deaths }, lookup: lookupOf(look) };
}

function nothingAt(key: string): StoredValue {
  return { key, type: 'none', holds: [], length: 0, secondsLeft: null };
}

/** The result of the router's own lookup rule for these keys. */
export function lookupOf({ lists, dead, marks }: Pick<StoredCandidates, 'lists' | 'dead' | 'marks'>): Lookup {
  const replies = [...lists.map(replyOf), dead.type === 'set' || dead.type === 'none' ? dead.holds : wrongType()];
  const types = [...lists, dead].map(({ type }) => type);
  const pairs = replies.flatMap((reply, i) => [types[i], reply]);
  const lookup = lookupOfPipeline(pairs, false);
  return lookup.type === 'found' ? { ...lookup, marks } : lookup;
}

function replyOf({ type, holds }: StoredValue): unknown {
  return type === 'list' || type === 'none' ? holds : wrongType();
}

function wrongType(): Error {
  return new Error('WRONGTYPE');
}
