/**
 * What an operator may say of a frontend besides its backends: the hash `options:<key>`, field by field. A field that a
 * frontend does not have is taken from `options:*`, then from the configuration.
 */
import { readPattern } from './path-pattern.ts';
import type { PathRewrite } from './path-rewrite.ts';
import { readCanonical, type RedirectStatus } from './redirect.ts';

/** Fields as they are written; a Map, because `__proto__` is a name like any other. */
export type OptionFields = ReadonlyMap<string, string>;

/** What the fields of a route come to. */
export interface RouteOptions {
  /** What backends are asked for; null: what clients ask for. */
  readonly rewrite: PathRewrite | null;
  /** Whether Location, Content-Location and the paths of cookies are mapped back. */
  readonly mapBack: boolean;
  /** `redirect`: clients that do not speak TLS are sent to where they do. */
  readonly https: 'redirect' | null;
  /** Of that redirect alone; null: `redirectStatus`. */
  readonly httpsStatus: RedirectStatus | null;
  /** Where that is; null: where the router listens. */
  readonly httpsPort: number | null;
  /** Of all redirects that say nothing else. */
  readonly redirectStatus: RedirectStatus;
  /** The host that all others are sent to. `port`: with its colon; null where the client's stays. */
  readonly canonical: { readonly hostname: string; readonly port: string | null } | null;
  /** The value of Strict-Transport-Security (RFC 6797 §6.1); null for none. */
  readonly hsts: string | null;
  readonly state: 'live' | 'maintenance' | 'paused';
  /** How long `paused` may keep a request, seconds. */
  readonly pauseMax: number;
  /** What `maintenance` says in Retry-After, seconds. */
  readonly retryAfter: number;
  /** The fields that count, as they were written, for whoever has to write them down. */
  readonly fields: OptionFields;
}

/** The hashes that make a route's options, the first the least. Undefined where there is none. */
export interface OptionLayers {
  readonly config?: OptionFields | undefined;
  /** `options:*`. */
  readonly all?: OptionFields | undefined;
  /** That of the host's key. */
  readonly host?: OptionFields | undefined;
  /** That of the prefix, where the route has one. */
  readonly prefix?: OptionFields | undefined;
}

type Settings = Omit<RouteOptions, 'rewrite' | 'fields'> & {
  readonly strip: boolean;
  readonly prepend: string;
  readonly pattern: PathRewrite['pattern'];
};

const USUAL: Settings = {
  strip: false,
  prepend: '',
  pattern: null,
  mapBack: false,
  https: null,
  httpsStatus: null,
  httpsPort: null,
  redirectStatus: 308,
  canonical: null,
  hsts: null,
  state: 'live',
  pauseMax: 30,
  retryAfter: 60,
};

/** Those of a frontend without any: one object, so that asking costs nothing. */
export const NO_OPTIONS: RouteOptions = optionsOf(USUAL, new Map());

/** What the text of a field says, or why it says nothing. */
type Read = Partial<Settings> | string;

const READERS: ReadonlyMap<string, (text: string) => Read> = new Map<string, (text: string) => Read>([
  ['strip', (text) => readFlag(text, (strip) => ({ strip }))],
  ['prepend', readPrepend],
  ['rewrite', readRewrite],
  ['mapBack', (text) => readFlag(text, (mapBack) => ({ mapBack }))],
  ['https', readHttps],
  ['httpsPort', (text) => readNumber(text, 1, 65_535, (httpsPort) => ({ httpsPort }))],
  ['canonical', readCanonicalField],
  ['redirectStatus', readStatus],
  ['hsts', readHsts],
  ['state', readState],
  ['retryAfter', (text) => readNumber(text, 0, 31_536_000, (retryAfter) => ({ retryAfter }))],
  ['pauseMax', (text) => readNumber(text, 1, 3600, (pauseMax) => ({ pauseMax }))],
]);

/** All fields there are, in the order of the documentation. */
export const OPTION_NAMES: readonly string[] = [...READERS.keys()];

/** What a prefix does not take over from its host: these are about the path, and it has another. */
const OF_THE_PATH: ReadonlySet<string> = new Set(['strip', 'prepend', 'rewrite']);

/** Whether a prefix does not take this field over from its host. */
export function isOfThePath(field: string): boolean {
  return OF_THE_PATH.has(field);
}

/** Why a field does not count; null when it does. */
export function optionFault(field: string, text: string): string | null {
  const reader = READERS.get(field);
  if (reader === undefined) return 'there is no such option';
  const read = reader(text.trim());
  return typeof read === 'string' ? read : null;
}

/** The layers as one: of two that have a field, the later counts, if what it says can be used. */
export function mergeOptions({ config, all, host, prefix }: OptionLayers): RouteOptions {
  if (config === undefined && all === undefined && host === undefined && prefix === undefined) return NO_OPTIONS;
  const settings = { ...USUAL };
  const fields = new Map<string, string>();
  for (const layer of [config, all, host, prefix]) {
    if (layer === undefined) continue;
    const isOfAnother = layer === host && prefix !== undefined;
    for (const [field, text] of layer) {
      const read = READERS.get(field)?.(text.trim());
      if (typeof read !== 'object' || (isOfAnother && isOfThePath(field))) continue;
      Object.assign(settings, read);
      fields.set(field, text);
    }
  }
  return fields.size === 0 ? NO_OPTIONS : optionsOf(settings, fields);
}

function optionsOf({ strip, prepend, pattern, ...others }: Settings, fields: OptionFields): RouteOptions {
  const rewrite = strip || prepend !== '' || pattern !== null ? Object.freeze({ strip, prepend, pattern }) : null;
  return Object.freeze({ rewrite, ...others, fields });
}

function readFlag(text: string, made: (flag: boolean) => Partial<Settings>): Read {
  const lower = text.toLowerCase();
  if (lower === '1' || lower === 'true') return made(true);
  return lower === '0' || lower === 'false' ? made(false) : 'it is 1 or 0';
}

function readNumber(text: string, min: number, max: number, made: (number: number) => Partial<Settings>): Read {
  const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
  return number >= min && number <= max ? made(number) : `it is a whole number from ${min} to ${max}`;
}

function readPrepend(text: string): Read {
  if (!/^\/[!"$->@-~]*$/.test(text)) return 'it is a path that begins with "/", without "?" and "#"';
  return { prepend: text.replace(/\/$/, '') };
}

function readRewrite(text: string): Read {
  const [, source = '', replacement = ''] = /^(\S+)\s+(\S+)$/.exec(text) ?? [];
  if (source === '') return 'it is a pattern, a space, and what a path that matches becomes';
  const pattern = readPattern(source, replacement);
  return typeof pattern === 'string' ? pattern : { pattern };
}

function readHttps(text: string): Read {
  if (text === 'both') return { https: null };
  const [how, code, ...more] = text.split(/\s+/);
  const httpsStatus = code === undefined ? null : redirectStatusOf(code);
  const isRight = how === 'redirect' && more.length === 0 && (code === undefined || httpsStatus !== null);
  return isRight
    ? { https: 'redirect', httpsStatus }
    : 'it is "redirect", perhaps with a space and a status, or "both"';
}

function readStatus(text: string): Read {
  const redirectStatus = redirectStatusOf(text);
  return redirectStatus === null ? 'it is 301, 302, 303, 307 or 308' : { redirectStatus };
}

/** A status that sends clients elsewhere; null when it is none. */
export function redirectStatusOf(text: string): RedirectStatus | null {
  switch (text) {
    case '301':
      return 301;
    case '302':
      return 302;
    case '303':
      return 303;
    case '307':
      return 307;
    case '308':
      return 308;
    default:
      return null;
  }
}

function readCanonicalField(text: string): Read {
  const canonical = readCanonical(text);
  return canonical === null ? 'it is a host' : { canonical };
}

function readHsts(text: string): Read {
  const match = /^([0-9]{1,10})((?:[\s;]+(?:includeSubDomains|preload))*)$/i.exec(text);
  if (match === null) return 'it is seconds, and perhaps includeSubDomains and preload';
  const [, seconds = '', words = ''] = match;
  const directives = words.split(/[\s;]+/).filter((word) => word !== '');
  return { hsts: [`max-age=${seconds}`, ...directives].join('; ') };
}

function readState(text: string): Read {
  if (text === 'live' || text === 'maintenance' || text === 'paused') return { state: text };
  return 'it is "live", "maintenance" or "paused"';
}
