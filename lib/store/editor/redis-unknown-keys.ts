import type { RouteEditor, UnknownKeysPage } from './route-editor.ts';
import { METADATA_KINDS } from './route-editor.ts';
import { LOG_KEY } from './route-log.ts';

/** Sorts keys of Redis that are not a frontend's. Pure. */
export function unknownKeysOf(
  editor: Pick<RouteEditor, 'prefix' | 'metadataKey'>,
  keys: readonly string[],
  next: string | null,
): UnknownKeysPage {
  const { prefix } = editor;
  const dead = `${prefix}dead:`;
  const tls = `${prefix}tls:`;
  const marks = `${prefix}marks:`;
  const known = [
    `${prefix}frontend:`,
    dead,
    marks,
    `${prefix}trial:`,
    tls,
    prefix + LOG_KEY,
    ...METADATA_KINDS.map((kind) => editor.metadataKey(kind, '')),
  ];
  const isOther = (key: string): boolean => !known.some((start) => key.startsWith(start));
  return {
    deadHosts: keys.filter((key) => key.startsWith(dead)).map((key) => key.slice(dead.length)),
    suspects: keys.filter(isOther),
    certificateKeys: keys.filter((key) => key.startsWith(tls)).map((key) => key.slice(tls.length)),
    metadataKeys: METADATA_KINDS.flatMap((kind) => {
      const start = editor.metadataKey(kind, '');
      return keys.filter((key) => key.startsWith(start)).map((key) => [kind, key.slice(start.length)] as const);
    }),
    next,
  };
}
