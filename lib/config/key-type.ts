/** The types of configuration keys in terms of JSON Schema, read from the valibot schemas that check them. */
import * as v from 'valibot';

/** A schema as JSON Schema (draft 7) has it, as far as configurations need it. */
export interface KeyType {
  readonly type?: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null';
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly items?: KeyType;
  readonly properties?: Readonly<Record<string, KeyType>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | KeyType;
  readonly anyOf?: readonly KeyType[];
  readonly default?: unknown;
  readonly description?: string;
}

/** In the metadata of a valibot schema: its type, made of the type of what is before it in a pipe. */
type Note = (inner: KeyType) => KeyType;

/** What a pipe accepts, where valibot does not show it, as for custom checks. */
export function typed<Value>(type: KeyType): v.MetadataAction<Value, { readonly keyType: Note }> {
  return v.metadata({ keyType: () => type });
}

/** What a pipe accepts, if that is more than its last schema: it transforms before. */
export function alternatives<Value>(
  make: (inner: KeyType) => readonly KeyType[],
): v.MetadataAction<Value, { readonly keyType: Note }> {
  return v.metadata({ keyType: (inner: KeyType) => anyOf(make(inner)) });
}

/** The type of a schema. Without a type where neither valibot nor a note has one. */
export function typeOf(schema: v.GenericSchema): KeyType {
  if ('pipe' in schema) return pipeType(schema.pipe as readonly Part[]);
  if (!('wrapped' in schema)) return plainType(schema);
  const inner = typeOf(schema.wrapped as v.GenericSchema);
  const type = schema.type === 'optional' ? inner : anyOf([inner, { type: 'null' }]);
  const byDefault = 'default' in schema ? schema.default : undefined;
  // Of a section, the keys have defaults.
  const isOwn = byDefault !== undefined && byDefault !== null && inner.properties === undefined;
  return isOwn ? { ...type, default: byDefault } : type;
}

/** The alternative of a type that is an object with known keys; null if there is none. */
export function objectOf(type: KeyType): Required<Pick<KeyType, 'properties'>> | null {
  const { properties } = type;
  if (properties !== undefined) return { properties };
  for (const each of type.anyOf ?? []) {
    const found = objectOf(each);
    if (found) return found;
  }
  return null;
}

/** Whether a type, or one of its alternatives, is one of these. */
export function accepts(type: KeyType, ...kinds: readonly NonNullable<KeyType['type']>[]): boolean {
  if (type.anyOf !== undefined) return type.anyOf.some((each) => accepts(each, ...kinds));
  return type.type !== undefined && kinds.includes(type.type);
}

type Part = v.GenericSchema | { readonly kind: 'validation' | 'transformation' | 'metadata' };

function pipeType(parts: readonly Part[]): KeyType {
  let type = typeOf((parts.findLast(({ kind }) => kind === 'schema') ?? v.unknown()) as v.GenericSchema);
  for (const part of parts) {
    const note = noteOf(part);
    if (note) type = note(type);
  }
  return type;
}

function noteOf(part: Part): Note | null {
  if (part.kind !== 'metadata' || !('metadata' in part)) return null;
  const { keyType } = part.metadata as { readonly keyType?: Note };
  return keyType ?? null;
}

function plainType(schema: v.GenericSchema): KeyType {
  switch (schema.type) {
    case 'string':
      return { type: 'string' };
    case 'number':
      return { type: 'number' };
    case 'boolean':
      return { type: 'boolean' };
    case 'picklist':
      return { enum: (schema as v.PicklistSchema<readonly string[], undefined>).options };
    case 'union':
      return anyOf((schema as v.UnionSchema<v.GenericSchema[], undefined>).options.map(typeOf));
    case 'array':
      return { type: 'array', items: typeOf((schema as v.ArraySchema<v.GenericSchema, undefined>).item) };
    case 'object_with_rest':
      return objectType((schema as v.ObjectWithRestSchema<v.ObjectEntries, v.GenericSchema, undefined>).entries);
    default:
      return {};
  }
}

function objectType(entries: v.ObjectEntries): KeyType {
  const all = Object.entries(entries);
  const properties = Object.fromEntries(all.map(([key, schema]) => [key, typeOf(schema as v.GenericSchema)]));
  const required = all.filter(([, { type }]) => !/^(?:optional|nullish)$/.test(type)).map(([key]) => key);
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

/** One of these types, those of inner alternatives among them. */
function anyOf(types: readonly KeyType[]): KeyType {
  const all = types.flatMap((type) => (type.anyOf !== undefined && type.default === undefined ? type.anyOf : [type]));
  const different = [...new Map(all.map((type) => [type.properties ?? JSON.stringify(type), type])).values()];
  const [only, ...more] = different;
  return only !== undefined && more.length === 0 ? only : { anyOf: different };
}
