/** Redis as a driver URL names it: one server, a socket, sentinels or a cluster. Passwords are never repeated in a fault. */
import type { Endpoint, RedisAddress, RedisPlace, RedisTls } from './redis-address.ts';

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;

// The user part is greedy up to the last '@' before a '#', so that a password may hold ':', '/' and '@', and a prefix
// '@'. The host may be an IPv6 literal.
const SERVER =
  /^(rediss?):(?:\/\/(?:([^#]*)@)?(\[[0-9a-f:.]+\]|[^@:/?#\s]*)(?::([0-9]{1,5}))?(?:\/([0-9]{0,9}))?)?(?:#(.*))?$/is;

// Where a path and a query may follow, a user part is read as URLs are elsewhere: '@', '/', '?' and '#' are written %40…
const USER = String.raw`(?:([^@/?#]*)@)?`;
const ENDPOINT = String.raw`(?:\[[0-9a-f:.]+\]|[^@:/?#,\s[\]]+)(?::[0-9]{1,5})?`;
const SEVERAL = new RegExp(
  String.raw`^(rediss?)\+(sentinel|cluster)://${USER}(${ENDPOINT}(?:,${ENDPOINT})*)(?:/([^@?#]*))?(?:\?([^@#]*))?(?:#(.*))?$`,
  'is',
);
const SOCKET = new RegExp(String.raw`^redis\+unix://${USER}(/[^?#]+)(?:\?([^#]*))?(?:#(.*))?$`, 'is');

/**
 * Reads a Redis URL of any form; null when it is none.
 * @param tls what `rediss` means
 * @throws Error with a sentence an operator can act on
 */
export function parseRedisUrl(text: string, tls: RedisTls): RedisAddress | null {
  return parseServer(text, tls) ?? parseSeveral(text, tls) ?? parseSocket(text);
}

/** The URL with its passwords blotted out; null when it is no Redis URL. */
export function censorRedisUrl(text: string): string | null {
  // A user part without a colon is a password too.
  if (SERVER.test(text)) return text.replace(/^([a-z]+:\/\/)(?:([^:#]*:))?[^#]*@/is, '$1$2***@');
  if (!SEVERAL.test(text) && !SOCKET.test(text)) return null;
  return text
    .replace(/^([a-z+]+:\/\/)(?:([^:@/?#]*:))?[^@/?#]*@/is, '$1$2***@')
    .replace(/^[^?#]*\?[^#]*/s, (head) => head.replaceAll(/([?&](?!db=)[^=&]*)=[^&]*/gi, '$1=***'));
}

function parseServer(text: string, tls: RedisTls): RedisAddress | null {
  const match = SERVER.exec(text);
  if (!match) return null;
  const [, scheme, userinfo, host = '', port, database, prefix] = match;
  return {
    place: { type: 'server', ...endpointOf(host === '' ? '127.0.0.1' : host, port, REDIS_PORT) },
    tls: tlsOf(scheme, tls),
    ...credentialsOf(userinfo),
    database: Number(database || 0),
    prefix: prefix ?? '',
  };
}

function parseSeveral(text: string, tls: RedisTls): RedisAddress | null {
  const match = SEVERAL.exec(text);
  if (!match) return null;
  const [, scheme, kind = '', userinfo, list = '', path = '', query = '', prefix = ''] = match;
  const common = { tls: tlsOf(scheme, tls), ...credentialsOf(userinfo), prefix };
  if (kind.toLowerCase() === 'sentinel') return { ...sentinelsOf(list, path, query), ...common };
  if (query !== '') throw new Error('has parameters, which redis+cluster: does not know');
  if (path !== '' && path !== '0') throw new Error('names a database; a cluster has only one, 0');
  return { place: { type: 'cluster', nodes: endpointsOf(list, REDIS_PORT) }, ...common, database: 0 };
}

function sentinelsOf(
  list: string,
  path: string,
  query: string,
): { readonly place: RedisPlace; readonly database: number } {
  const [master = '', database = '', ...more] = path.split('/');
  if (master === '' || more.length > 0 || !/^[0-9]{0,9}$/.test(database)) {
    throw new Error('must end with the name of a master, and a database or none: …/mymaster/0');
  }
  const given = parametersOf(query, /^sentinel_?(?:username|password)$/i, 'sentinel_username and sentinel_password');
  const named = (what: string): string | null => given.get(`sentinel${what}`) ?? null;
  const place: RedisPlace = {
    type: 'sentinels',
    sentinels: endpointsOf(list, SENTINEL_PORT),
    master: decode(master),
    username: named('username'),
    password: named('password'),
  };
  return { place, database: Number(database) };
}

function parseSocket(text: string): RedisAddress | null {
  const match = SOCKET.exec(text);
  if (!match) return null;
  const [, userinfo, path = '', query = '', prefix = ''] = match;
  const database = parametersOf(query, /^db$/i, 'db').get('db') ?? '0';
  if (!/^[0-9]{1,9}$/.test(database)) throw new Error('must have a number for db: …/redis.sock?db=1');
  return {
    place: { type: 'socket', path: decode(path) },
    tls: null,
    ...credentialsOf(userinfo),
    database: Number(database),
    prefix,
  };
}

/** What a query says, by name in lower case without underscores. */
function parametersOf(query: string, known: RegExp, names: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&').filter((each) => each !== '')) {
    const [name = '', ...value] = part.split('=');
    // Not repeated: it may be half a password.
    if (!known.test(name)) throw new Error(`has a parameter that is not known here; known: ${names}`);
    parameters.set(name.toLowerCase().replace('_', ''), decode(value.join('=')));
  }
  return parameters;
}

function tlsOf(scheme: string | undefined, tls: RedisTls): RedisTls | null {
  return scheme?.toLowerCase() === 'rediss' ? tls : null;
}

function endpointsOf(list: string, portByDefault: number): readonly Endpoint[] {
  return list.split(',').map((each) => {
    const [, host = '', port] = /^(.*?)(?::([0-9]+))?$/s.exec(each) ?? [];
    return endpointOf(host, port, portByDefault);
  });
}

function endpointOf(host: string, port: string | undefined, portByDefault: number): Endpoint {
  return {
    host: host.replaceAll(/^\[|\]$/g, ''),
    port: port === undefined ? portByDefault : validPort(port),
  };
}

function credentialsOf(userinfo: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (userinfo === undefined || userinfo === '') return { username: null, password: null };
  const colon = userinfo.indexOf(':');
  // Hipache took "redis://password@host" for a password too.
  if (colon < 0) return { username: null, password: decode(userinfo) };
  return {
    username: decode(userinfo.slice(0, colon)) || null,
    password: decode(userinfo.slice(colon + 1)) || null,
  };
}

/** Percent-decodes if possible: a password with a bare '%' is used unchanged. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function validPort(text: string): number {
  const port = Number(text);
  if (port < 1 || port > 65535) throw new Error(`has port ${text}; ports go from 1 to 65535`);
  return port;
}
