/**
 * Configuration keys in environment variables: HIPACHE_SERVER_WORKERS=4 is `server.workers`, as programs in containers
 * are usually configured. A variable comes before the file.
 */
import type { Faults } from './faults.ts';
import { allKeys, type TypedKey } from './file-type.ts';
import { parseJson } from './json.ts';
import { accepts, type KeyType, objectOf } from './key-type.ts';
import { nearest } from './nearest.ts';
import { isObject } from './values.ts';

const PREFIX = 'HIPACHE_';

/** Variables that are no keys. The last two and HIPACHE_TEST_… are of this project's tests, which start routers. */
const OTHERS: ReadonlySet<string> = new Set([
  'HIPACHE_CONFIG',
  'HIPACHE_HANDOVER',
  'HIPACHE_HANDED_PAIRS',
  'HIPACHE_FAST_LANE',
  'HIPACHE_PROPERTY_RUNS',
]);

/**
 * What Kubernetes and Docker set for a service or a link named hipache, hipache-http and so on. HIPACHE_HTTP_PORT is
 * such a one too, if its value is a URL.
 */
const OF_SERVICES = /_SERVICE_(?:HOST|PORT)(?:_\w+)?$|_PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_\w+)?$|^HIPACHE_TEST_/;
const SERVICE_URL = /^(?:tcp|udp|sctp):\/\//;

type Keys = Readonly<Record<string, unknown>>;

/** The variable of a key: `server.accessLog` is HIPACHE_SERVER_ACCESS_LOG. */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll(/([a-z0-9])(?=[A-Z])/g, '$1_').replaceAll('.', '_'));
  return `${PREFIX}${words.join('_').toUpperCase()}`;
}

/** All keys that have a variable, by its name. Sections have none, except `admin`, which may be an address. */
export function variables(): ReadonlyMap<string, TypedKey> {
  const keys = allKeys().filter(({ type }) => objectOf(type) === null || accepts(type, 'string'));
  return new Map(keys.map((key) => [variableOf(key.path), key]));
}

/**
 * The keys of a file with those of the environment in their place. Empty variables are ignored: templates leave them.
 * Values are checked later, like those of the file; their faults have the name of the variable.
 * @param onUnknown called with one line for each unknown variable
 */
export function withEnvironment(
  file: Keys,
  env: NodeJS.ProcessEnv,
  faults: Faults,
  onUnknown: (line: string) => void = () => {},
): Keys {
  const given = Object.entries(env).filter(([name, text]) => isGiven(name, text));
  if (given.length === 0) return file;
  const known = variables();
  const keys = structuredClone(file) as Record<string, unknown>;
  for (const [name] of given) if (!known.has(name)) onUnknown(unknown(name, [...known.keys()]));
  // In the order of keys: `admin` before `admin.token`.
  for (const [name, { path, type }] of known) {
    const text = given.find(([each]) => each === name)?.[1];
    if (text === undefined) continue;
    // Commands use this variable too. It must not turn on an interface that nothing else asks for.
    if (name === 'HIPACHE_ADMIN_TOKEN' && !isSet(keys['admin'])) continue;
    faults.rename(path.join('.'), name);
    put(keys, path, read(text, type, path, faults));
  }
  return keys;
}

function isGiven(name: string, text: string | undefined): text is string {
  if (!name.startsWith(PREFIX) || text === undefined || text === '' || OTHERS.has(name)) return false;
  return !OF_SERVICES.test(name) && !SERVICE_URL.test(text);
}

function unknown(name: string, known: readonly string[]): string {
  const rest = name.slice(PREFIX.length);
  const near = nearest(
    rest,
    known.map((each) => each.slice(PREFIX.length)),
  );
  const meant = near === null ? known.find((each) => each.endsWith(`_${rest}`)) : `${PREFIX}${near}`;
  return `${name}: unknown variable, ignored${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** The value of a text. One that the key does not accept stays a text, for the schema to refuse. */
function read(text: string, type: KeyType, path: readonly string[], faults: Faults): unknown {
  if (/^\s*[[{]/.test(text) && accepts(type, 'array', 'object')) {
    try {
      return parseJson(text);
    } catch (error) {
      faults.add(path.join('.'), error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
  if ((text === 'true' || text === 'false') && accepts(type, 'boolean')) return text === 'true';
  if (text === 'false' && type.anyOf?.some((each) => each.const === false)) return false;
  // A driver URL has commas where it names several servers; two URLs are written as JSON.
  if (accepts(type, 'array') && path[0] !== 'driver') return text.split(',').map((each) => each.trim());
  if (accepts(type, 'number', 'integer') && /^-?[0-9]+(?:\.[0-9]+)?$/.test(text)) return Number(text);
  return text;
}

/** Sets a key. Sections are made where there are none; one that is no object is left for the schema to refuse. */
function put(keys: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    keys[key] = value;
    return;
  }
  const section = keys[key];
  if (!isSet(section)) keys[key] = {};
  else if (key === 'admin' && typeof section === 'string') keys[key] = { bind: section };
  const inner = keys[key];
  if (isObject(inner)) put(inner, rest, value);
}

function isSet(section: unknown): boolean {
  return section !== undefined && section !== null && section !== false;
}
