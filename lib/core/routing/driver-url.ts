import { PLAIN_TLS, type RedisAddress, type RedisTls } from './redis-address.ts';
import { censorRedisUrl, parseRedisUrl } from './redis-url.ts';

/** Where routes are kept, as one URL of the `driver` key names it. */
export type DriverUrl =
  | { readonly scheme: 'redis'; readonly redis: RedisAddress }
  /** A JSON file of routes. `path` is as written: the configuration says what it is relative to. */
  | { readonly scheme: 'file'; readonly path: string };

const FORM =
  'is no driver URL; write redis://:password@host:port/database#prefix or file:PATH ("#" in a password is %23)';
const FORMS: Readonly<Record<string, string>> = {
  sentinel: 'redis+sentinel://:password@host1:26379,host2:26379/mymaster/0#prefix',
  cluster: 'redis+cluster://:password@host1:6379,host2:6379/#prefix',
  unix: 'redis+unix://:password@/run/redis.sock?db=0#prefix',
};

/**
 * Reads `redis://:password@host:port/database#prefix` (`rediss:` for TLS; every part optional), the forms for
 * sentinels, clusters and sockets, or `file:PATH`.
 * @param tls what `rediss` means
 * @throws Error with a sentence an operator can act on, without the password
 */
export function parseDriverUrl(text: string, tls: RedisTls = PLAIN_TLS): DriverUrl {
  if (/^file:/i.test(text)) {
    const path = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
    // In a URL, what follows "//" is a host: "file://routes.json" would be the machine of that name.
    if (path.startsWith('//')) throw new Error('names a host; write file:PATH or file:///PATH');
    if (path === '') throw new Error('names no file; write file:PATH');
    return { scheme: 'file', path };
  }
  const redis = parseRedisUrl(text, tls);
  if (redis === null) throw new Error(formFor(text));
  return { scheme: 'redis', redis };
}

/** The URL with its passwords blotted out, fit for a log or `--dry`. Of a text that is no driver URL, more is blotted out. */
export function censorDriverUrl(text: string): string {
  if (/^file:/i.test(text)) return text;
  return censorRedisUrl(text) ?? text.replace(/^([a-z+]*:\/\/)?.*@/is, '$1***@').replaceAll(/=[^&#]*/g, '=***');
}

/** What to write instead. */
function formFor(text: string): string {
  const [, tls, kind = ''] = /^redis(s?)\+([a-z]+):/i.exec(text) ?? [];
  const form = FORMS[kind.toLowerCase()];
  if (form === undefined) return FORM;
  if (tls !== '' && kind.toLowerCase() === 'unix') return `is no driver URL: a socket needs no TLS; write ${form}`;
  return `is no driver URL; write ${form} ("@", "/", "?" and "#" in a password are %40, %2F, %3F and %23)`;
}
