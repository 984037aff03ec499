import type { RouteEditor } from '../store/editor/route-editor.ts';

/** Keys of a page. */
const PAGE = 1_000;

/** The keys of a store that a set of frontends is about. */
export interface SetKeyNames {
  /** Keys with a list, or with options, header fields, weights, checks or error pages. Sorted. */
  readonly frontends: readonly string[];
  readonly certificates: ReadonlySet<string>;
}

/** Reads all keys of a store. @throws EditorError */
export async function setKeysOf(editor: RouteEditor): Promise<SetKeyNames> {
  const frontends = new Set<string>();
  const certificates = new Set<string>();
  for (let cursor: string | null = null; ;) {
    const { metadataKeys, certificateKeys, next } = await editor.unknownKeys(cursor, PAGE);
    // A set of prefixes is made of the keys with a path.
    for (const [kind, key] of metadataKeys) if (kind !== 'prefixes') frontends.add(key);
    for (const key of certificateKeys) certificates.add(key);
    cursor = next;
    if (cursor === null) break;
  }
  for (let cursor: string | null = null; ;) {
    const { entries, next } = await editor.page({ cursor, limit: PAGE, match: '' });
    for (const { key } of entries) frontends.add(key);
    cursor = next;
    if (cursor === null) break;
  }
  return { frontends: [...frontends].toSorted(), certificates };
}
