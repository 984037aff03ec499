import { isZone } from '../core/balance/weights.ts';
import { BlockList, isIP } from 'node:net';
import * as v from 'valibot';
import { fieldFault } from '../sites/site.ts';
import { readAccessFormat } from '../core/record/access-format.ts';
import { syslogSocket } from '../core/record/syslog-socket.ts';
import { parseDriverUrl } from '../core/routing/driver-url.ts';
import { alternatives, typed } from './key-type.ts';

/**
 * The types of values. Each message completes a sentence that starts with the key. `typed` says in terms of JSON Schema
 * what valibot does not show of a type.
 */

/** The message of `section` for an unknown key; `check` adds the key that was probably meant. */
export const UNKNOWN_KEY = 'unknown key';

// Node's timers run at most 2^31 - 1 ms; a longer one fires after 1 ms.
const MOST_SECONDS = 2_147_483;

/** An object with these keys and no other. Reports every fault in it, not only the first. */
export function section<const Entries extends v.ObjectEntries>(entries: Entries, fault = 'must be an object, { … }') {
  const stranger = v.custom<unknown>(() => false, UNKNOWN_KEY);
  return v.pipe(v.custom<Record<string, unknown>>(isObject, fault), v.objectWithRest(entries, stranger, 'is missing'));
}

/** An object in JSON's sense: no array, not null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number of at least `least`. */
export function wholeNumber(least: number) {
  return v.pipe(
    v.custom<number>(
      (value) => Number.isSafeInteger(value) && Number(value) >= least,
      `must be a whole number of at least ${least}`,
    ),
    typed({ type: 'integer', minimum: least }),
  );
}

/** Seconds, with fractions. */
export function seconds(least: number) {
  return v.pipe(
    v.custom<number>(
      (value) => typeof value === 'number' && value >= least && value <= MOST_SECONDS,
      `must be a number of seconds from ${least} to ${MOST_SECONDS}`,
    ),
    typed({ type: 'number', minimum: least, maximum: MOST_SECONDS }),
  );
}

/** A number from 0 to 1. */
export const share = v.pipe(
  v.custom<number>((value) => typeof value === 'number' && value >= 0 && value <= 1, 'must be a number from 0 to 1'),
  typed({ type: 'number', minimum: 0, maximum: 1 }),
);

/** True or false. */
export const flag = v.boolean('must be true or false');

/** Text; `""` is same as omitting it, since templates that write configurations leave it. */
export const text = v.pipe(
  v.string('must be text'),
  v.transform((value) => (value === '' ? null : value)),
  typed({ type: 'string' }),
);

/** The destination of the access log. */
export const accessLog = v.pipe(
  text,
  v.check(
    (value) => value === null || syslogSocket(value) !== '',
    'must name a socket after "syslog:", or be "syslog"',
  ),
);

/** A file name. Relative ones start from the working directory. */
export const file = v.pipe(v.string('must be the name of a file'), v.minLength(1, 'must be the name of a file'));

/** An absolute path, independent of the working directory. */
export const absolute = v.pipe(
  v.custom<string>(
    (value) => typeof value === 'string' && value.startsWith('/') && !value.includes('\0'),
    'must be the absolute path of a folder',
  ),
  typed({ type: 'string', pattern: '^/' }),
);

/** One of several words. */
export function oneOf<const Options extends readonly string[]>(options: Options) {
  return v.picklist(options, `must be ${options.map((each) => `"${each}"`).join(' or ')}`);
}

/** A number that may be quoted: Hipache accepted "8080", and templates write it so. */
export function lenient<const Schema extends v.GenericSchema<unknown, number>>(schema: Schema) {
  return v.pipe(
    v.unknown(),
    alternatives((number) => [number, { type: 'string', pattern: '^[0-9]{1,15}$' }]),
    v.transform(unquote),
    schema,
  );
}

function unquote(value: unknown): unknown {
  return typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
}

/** 0 is any free port. */
export const port = lenient(
  v.pipe(
    v.custom<number>(
      (value) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
      'must be a port, 0 to 65535 (0 is any free port)',
    ),
    typed({ type: 'integer', minimum: 0, maximum: 65_535 }),
  ),
);

// The last label of a name is never all digits (RFC 1123 §2.1), otherwise "10.0.0.256" would be looked up as a name.
const HOST_NAME = /^(?:[a-z0-9_-]{1,63}\.)*(?![0-9]+$)[a-z0-9_-]{1,63}$/i;

/** An address to listen on, or a host name. An IPv6 address may have brackets, which are removed. */
export const address = v.pipe(
  v.string('must be an IP address, such as "127.0.0.1" or "::1"'),
  v.transform((value) => (/^\[.*:.*\]$/.test(value) ? value.slice(1, -1) : value)),
  v.check((value) => isIP(value) !== 0 || HOST_NAME.test(value), 'must be an IP address, such as "127.0.0.1" or "::1"'),
  typed({ type: 'string' }),
);

/** An address, or a Unix socket's path, which has a slash. */
export const addressOrSocket = v.pipe(
  v.custom<string>(
    (value) => typeof value === 'string' && (value.includes('/') ? value.length < 100 : v.is(address, value)),
    'must be an IP address, such as "127.0.0.1", or the path of a socket, such as "/run/hipache/admin.sock"',
  ),
  typed({ type: 'string' }),
);

/** A secret for a header field. The message never repeats it. */
export const secret = v.pipe(
  v.string('must be text'),
  v.regex(/^[!-~]+$/, 'must be of visible ASCII characters, without spaces'),
  typed({ type: 'string', pattern: '^[!-~]+$' }),
);

/** The name of a zone, as in `weights:<key>`. */
export const zone = v.pipe(
  v.string('must be text'),
  v.check(isZone, 'must be a name of letters, digits, ".", "_" and "-", at most 63'),
);

/** A secret that others must not guess from what was made with it. */
export const longSecret = v.pipe(
  secret,
  v.minLength(32, 'must have at least 32 characters'),
  typed({ type: 'string', pattern: '^[!-~]{32,}$' }),
);

/** `private`, an address, or a range such as `10.0.0.0/8`. */
export const trusted = v.pipe(
  v.custom<string>(
    (value) => typeof value === 'string' && (value === 'private' || isRange(value)),
    'must be "private", an IP address or a range such as "10.0.0.0/8"',
  ),
  typed({ type: 'string' }),
);

function isRange(value: string): boolean {
  const [ip = '', length, ...more] = value.split('/');
  const family = isIP(ip);
  if (family === 0 || more.length > 0) return false;
  if (length === undefined) return true;
  if (!/^[0-9]{1,3}$/.test(length)) return false;
  try {
    // Ranges are checked by BlockList, with which workers match clients, too.
    new BlockList().addSubnet(ip, Number(length), family === 6 ? 'ipv6' : 'ipv4');
    return true;
  } catch {
    return false;
  }
}

/** Text that `read` accepts; its error message is the fault. */
function readableBy(read: (text: string) => unknown, example: string) {
  return v.pipe(
    v.string(`must be text, such as "${example}"`),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      try {
        read(dataset.value);
      } catch (error) {
        addIssue({ message: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
}

/** A driver URL. The message never repeats it, since it may have a password. */
export const driverUrl = readableBy((url) => parseDriverUrl(url), 'redis://127.0.0.1:6379');

const COLLECTOR = 'must be the URL of a collector, such as "http://127.0.0.1:4318/v1/traces"';

/** The URL for spans; without a path, the collectors' usual one. `""` is same as omitting it. */
export const collectorUrl = v.pipe(
  v.string(COLLECTOR),
  v.check((value) => value === '' || collectorOf(value) !== null, COLLECTOR),
  v.check((value) => !/^[^/]*\/\/[^/?]*@/.test(value), 'must not contain a password; use otel.headers instead'),
  v.transform((value) => collectorOf(value)),
);

function collectorOf(value: string): string | null {
  // A name with a port would parse as a scheme with a path.
  if (!/^https?:\/\/[^\s#]+$/i.test(value) || !URL.canParse(value)) return null;
  const url = new URL(value);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

/** Header fields: names and values. */
export const fields = v.pipe(
  v.custom<Readonly<Record<string, string>>>(
    (input) => isObject(input) && Object.entries(input).every(([name, value]) => isField(name, value)),
    'must be an object of header fields, { "name": "value" }',
  ),
  typed({ type: 'object', additionalProperties: { type: 'string' } }),
);

function isField(name: string, value: unknown): boolean {
  // oxlint-disable-next-line no-control-regex -- the tab is allowed in values
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && typeof value === 'string' && /^[\t -~\u0080-\u00ff]*$/.test(value);
}

/** The value of a frontend's option, as text; lib/sites checks it. */
export function option(name: string) {
  return v.pipe(
    v.union([v.string(), v.number(), v.boolean()], 'must be text, a number, true or false'),
    v.transform(String),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const fault = fieldFault(name, dataset.value);
      if (fault !== null) addIssue({ message: fault.replace(/^it is/, 'must be') });
    }),
  );
}

/** The format of the access log. */
export const accessFormat = readableBy(readAccessFormat, 'combined');

/** A name or a number of a user or group. */
export const account = v.pipe(
  v.custom<string | number>(
    (value) => typeof value === 'string' || (Number.isSafeInteger(value) && Number(value) >= 0),
    'must be a name or a number',
  ),
  typed({ anyOf: [{ type: 'string' }, { type: 'integer', minimum: 0 }] }),
);

/** One value or several: `x` means `[x]`, and nothing means `[]`. */
export function listOf<const Schema extends v.GenericSchema>(schema: Schema, wrap = (item: unknown): unknown => item) {
  const toList = (value: unknown): unknown[] => {
    if (value === null || value === '') return [];
    return (Array.isArray(value) ? value : [value]).map(wrap);
  };
  return v.pipe(
    v.unknown(),
    alternatives((list) => [list, ...(list.items ? [list.items] : []), { const: '' }]),
    v.transform(toList),
    v.array(schema),
  );
}

/** A schema that accepts `alias` for `meaning`. */
export function or<const Schema extends v.GenericSchema>(alias: unknown, meaning: unknown, schema: Schema) {
  return v.pipe(
    v.unknown(),
    alternatives((type) => [type, { const: alias }]),
    v.transform((value) => (value === alias ? meaning : value)),
    schema,
  );
}
