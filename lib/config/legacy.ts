import { bracketed } from '../core/routing/hostname.ts';
import { isObject } from './values.ts';

/** Converts the keys of Hipache 0.1 to 0.4 to today's, and drops those without meaning. */

type Keys = Record<string, unknown>;

/** Called for each old key: `server.port`, `use http.port`. */
type Tell = (key: string, advice: string) => void;

/**
 * Converts a configuration file to today's keys. If old and new are both given, the new one is used. Values are not
 * checked here.
 * @param onDeprecation called with one line per old key: `server.port: deprecated; use http.port`
 */
export function modernize(file: Readonly<Keys>, onDeprecation: (line: string) => void): Readonly<Keys> {
  const keys = structuredClone(file) as Keys;
  const tell: Tell = (key, advice) => onDeprecation(`${key}: deprecated; ${advice}`);
  if (isObject(keys['server'])) moveServerKeys(keys, keys['server'], tell);
  moveRedisKeys(keys, tell);
  if (isObject(keys['https'])) dropTlsKeys(keys['https'], tell);
  return keys;
}

function moveServerKeys(keys: Keys, server: Keys, tell: Tell): void {
  const take = (key: string, advice: string): unknown => takeFrom(server, key, 'server.', advice, tell);
  const addresses = [
    ...listed(take('address', 'use http.bind and https.bind')),
    ...listed(take('address6', 'use http.bind and https.bind')),
  ];
  // Without an address Hipache 0.2 and 0.3 listened on all; 0.4 listened on the loopback address, like this router.
  const warning = addresses.length > 0 || isSet(bindOf(keys['http'])) ? '' : '; without http.bind it is local only';
  const port = take('port', `use http.port${warning}`);
  const https = take('https', 'use https');
  const retries = take('errorMaxRetries', 'use server.retryOnError');
  take('uniqueIdHeader', 'ignored; see server.requestId');

  if (isSet(retries)) server['retryOnError'] ??= retries;
  if (isSet(port)) fill(keys, 'http', 'port', port);
  if (addresses.length > 0) fill(keys, 'http', 'bind', addresses);
  if (isSet(https)) keys['https'] ??= https;
  // server.https had no addresses of its own: it used those of plain HTTP.
  const isSecure = isSet(https) || (addresses.length > 0 && isObject(keys['https']));
  if (isSecure) fill(keys, 'https', 'bind', addressesOf(bindOf(keys['http'])));
}

function moveRedisKeys(keys: Keys, tell: Tell): void {
  const advice = isSet(keys['driver']) ? 'ignored, because driver is given' : 'use driver';
  const take = (key: string): unknown => takeFrom(keys, key, '', advice, tell);
  const nested = isObject(keys['redis']) ? keys['redis'] : {};
  if (isObject(keys['redis'])) take('redis');
  const read = redisUrl(
    take('redisHost') ?? nested['host'],
    take('redisPort') ?? nested['port'],
    take('redisPassword') ?? nested['password'],
    take('redisDatabase') ?? nested['database'],
  );
  const master = take('redisMasterHost');
  const write = redisUrl(master, take('redisMasterPort'), take('redisMasterPassword'), take('redisMasterDatabase'));
  if (isSet(keys['driver'])) return;
  if (isSet(master)) keys['driver'] = [read, write];
  else if (read !== redisUrl()) keys['driver'] = read;
}

/** Switches of old OpenSSL versions, and one that is always on: the server's order of ciphers. */
function dropTlsKeys(https: Keys, tell: Tell): void {
  const places = listed(https['bind']).filter(isObject);
  for (const place of [https, ...places]) {
    const prefix = place === https ? 'https.' : 'https.bind.';
    takeFrom(place, 'secureProtocol', prefix, 'ignored, see https.minVersion', tell);
    takeFrom(place, 'secureOptions', prefix, 'ignored, see https.minVersion', tell);
    takeFrom(place, 'honorCipherOrder', prefix, 'ignored, because it is always on', tell);
  }
}

/** The URL of a Redis, without the parts that are not set. */
function redisUrl(host?: unknown, port?: unknown, password?: unknown, database?: unknown): string {
  const name = isSet(host) ? String(host) : '';
  return [
    'redis://',
    // Encoded, because a '#' would start the prefix.
    isSet(password) ? `:${encodeURIComponent(String(password))}@` : '',
    bracketed(name),
    isSet(port) ? `:${String(port)}` : '',
    isSet(database) ? `/${String(database)}` : '',
  ].join('');
}

function takeFrom(keys: Keys, key: string, prefix: string, advice: string, tell: Tell): unknown {
  if (!Object.hasOwn(keys, key)) return undefined;
  const value = keys[key];
  delete keys[key];
  tell(`${prefix}${key}`, advice);
  return value;
}

/** Sets a key of a section unless it is set. A section that is not an object is left for the schema to refuse. */
function fill(keys: Keys, sectionName: string, key: string, value: unknown): void {
  const section = (keys[sectionName] ??= {});
  if (isObject(section) && !isSet(section[key])) section[key] = value;
}

function bindOf(section: unknown): unknown {
  return isObject(section) ? section['bind'] : undefined;
}

/** Only addresses: the ports and switches of plain listeners do not apply to TLS. */
function addressesOf(bind: unknown): unknown {
  return isSet(bind) ? listed(bind).map((place) => (isObject(place) ? place['address'] : place)) : '127.0.0.1';
}

function listed(value: unknown): readonly unknown[] {
  if (!isSet(value)) return [];
  return Array.isArray(value) ? value : [value];
}

/** Hipache ignored null, "" and 0. Here 0 counts, since it is a valid port and database today. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
