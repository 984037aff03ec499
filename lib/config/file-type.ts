import { type KeyType, objectOf, typeOf } from './key-type.ts';
import { FILE_KEYS } from './schema.ts';

/** A key of a configuration: `['server', 'workers']`. */
export interface TypedKey {
  readonly path: readonly string[];
  readonly type: KeyType;
}

/** The type of a whole configuration file. */
export function fileType(): Required<Pick<KeyType, 'type' | 'properties' | 'additionalProperties'>> {
  const properties = Object.fromEntries(Object.entries(FILE_KEYS).map(([key, schema]) => [key, typeOf(schema)]));
  return { type: 'object', properties, additionalProperties: false };
}

/** All keys, a section before its own. Keys of objects in lists are not among them. */
export function allKeys(properties = fileType().properties, place: readonly string[] = []): readonly TypedKey[] {
  return Object.entries(properties).flatMap(([key, type]) => {
    const path = [...place, key];
    // A list may have one object in place of several: its keys are not those of a section.
    const isList = type.anyOf?.some((each) => each.type === 'array') ?? false;
    const inner = isList ? null : objectOf(type);
    const all: TypedKey[] = [{ path, type }];
    return inner ? all.concat(allKeys(inner.properties, path)) : all;
  });
}
