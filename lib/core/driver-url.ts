/** Where routes are kept, as one URL of the `driver` key names it. */
export type DriverUrl =
  | { readonly scheme: 'redis'; readonly redis: RedisAddress }
  /** A JSON file of routes. `path` is as written: the configuration says what it is relative to. */
  | { readonly scheme: 'file'; readonly path: string };

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** Put before `frontend:` and `dead:`, not before `hchecker_ping` nor the channel `dead`. */
  readonly prefix: string;
}

const REDIS_PORT = 6379;
const FORM =
  'is no driver URL; write redis://:password@host:port/database#prefix or file:PATH ("#" in a password is %23)';

// The user part is greedy up to the last '@' before a '#', so that a password may hold ':', '/' and '@', and a prefix
// '@'. The host may be an IPv6 literal.
const REDIS =
  /^(rediss?):(?:\/\/(?:([^#]*)@)?(\[[0-9a-f:.]+\]|[^@:/?#\s]*)(?::([0-9]{1,5}))?(?:\/([0-9]{0,9}))?)?(?:#(.*))?$/is;

/**
 * Reads `redis://:password@host:port/database#prefix` (`rediss:` for TLS; every part optional) or `file:PATH`.
 * @throws Error with a sentence an operator can act on, without the password
 */
export function parseDriverUrl(text: string): DriverUrl {
  if (/^file:/i.test(text)) {
    const path = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
    // In a URL, what follows "//" is a host: "file://routes.json" would be the machine of that name.
    if (path.startsWith('//')) throw new Error('names a host; write file:PATH or file:///PATH');
    if (path === '') throw new Error('names no file; write file:PATH');
    return { scheme: 'file', path };
  }
  const match = REDIS.exec(text);
  if (!match) throw new Error(FORM);
  const [, scheme = '', userinfo, host = '', port, database, prefix] = match;
  const [username, password] = credentials(userinfo);
  return {
    scheme: 'redis',
    redis: {
      host: host.replace(/^\[|\]$/g, '') || '127.0.0.1',
      port: port === undefined ? REDIS_PORT : validPort(port),
      tls: scheme.toLowerCase() === 'rediss',
      username,
      password,
      database: Number(database || 0),
      prefix: prefix ?? '',
    },
  };
}

/** The URL with its password blotted out, fit for a log or `--dry`. Of a text that is no driver URL, more is blotted out. */
export function censorDriverUrl(text: string): string {
  if (/^file:/i.test(text)) return text;
  if (!REDIS.test(text)) return text.replace(/^([a-z+]*:\/\/)?.*@/is, '$1***@');
  // A user part without a colon is a password too.
  return text.replace(/^([a-z]+:\/\/)(?:([^:#]*:))?[^#]*@/is, '$1$2***@');
}

function credentials(userinfo: string | undefined): [string | null, string | null] {
  if (userinfo === undefined || userinfo === '') return [null, null];
  const colon = userinfo.indexOf(':');
  // Hipache took "redis://password@host" for a password too.
  if (colon < 0) return [null, decode(userinfo)];
  return [decode(userinfo.slice(0, colon)) || null, decode(userinfo.slice(colon + 1)) || null];
}

/** Percent-decoded where that is possible: a password with a bare '%' is taken as it stands. */
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
