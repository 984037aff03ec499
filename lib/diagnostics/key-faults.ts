/** Finds problems in the name of a key, and the key that was meant. Pure functions. */
import { nearest } from '../config/nearest.ts';
import { candidates, hostOf, mayBeAskedFor, PING_HOST } from '../core/routing/hostname.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import { MAX_PREFIX, prefixFault, splitKey } from '../core/routing/prefixes.ts';
import type { Advice } from '../store/editor/advice.ts';
import { command } from '../store/editor/redis-advice.ts';
import { fault, type Fault, type FaultCode } from './fault.ts';

/** The result of checking a frontend's key. */
export interface KeyReading {
  /** The key that requests would look up; null when none can be derived. */
  readonly meant: string | null;
  /** Empty when the key is right. */
  readonly faults: readonly Fault[];
}

/** One mistake, and the key without it. */
type Slip = readonly [code: FaultCode, what: string, mended: string];

/** Checks a frontend's key. @param key without `frontend:`; it may have a path */
export function readKey(key: string, advice: Advice): KeyReading {
  if (splitKey(key).host === PING_HOST) {
    const text = `the router responds to requests for ${PING_HOST} itself`;
    return { meant: null, faults: [fault('bad-key', text, advice.removeKey(key))] };
  }
  // No client requests a host that starts with a dot: a wildcard was meant.
  if (isKey(key) && !/^\.[^.]/.test(key)) return { meant: key, faults: [] };
  const slips: Slip[] = [];
  let meant = key;
  for (const step of STEPS) {
    const slip = step(meant);
    if (slip === null || slip[2] === meant) continue;
    slips.push(slip);
    [, , meant] = slip;
  }
  if (!isKey(meant)) {
    const text = `${JSON.stringify(key)} is neither a host name nor a wildcard: no request looks it up`;
    return { meant: null, faults: [fault('bad-key', text, advice.removeKey(key))] };
  }
  return {
    meant,
    faults: slips.map(([code, what]) => {
      return fault(code, `no request looks up ${JSON.stringify(key)}: ${what}`, advice.renameKey(key, meant));
    }),
  };
}

/** Whether requests can look up a host, or one of its paths. */
function isKey(key: string): boolean {
  const { host, prefix } = splitKey(key);
  return mayBeAskedFor(host) && (prefix === '' || prefixFault(prefix) === null);
}

/** After a first character: the lookbehind keeps each dot of a long row from being tried as the first. */
const TRAILING_DOTS = /(?<=^.|[^.])\.+$/s;

/** Each step removes one mistake, in the order of a URL, from outside in. */
const STEPS: readonly ((key: string) => Slip | null)[] = [
  (key) => ['space-in-key', 'there is white space around it', key.trim()],
  (key) => ['key-scheme', 'it has a scheme', key.replace(/^[a-z][a-z0-9+.-]*:\/+/i, '')],
  (key) => ['key-path', pathSlip(key), ofPath(key, mendedPrefix)],
  (key) => (/^:+[^:]+$/.test(key) ? ['bad-key', 'it begins with ":"', key.replace(/^:+/, '')] : null),
  (key) => ['key-port', 'it has a port, which does not count in a lookup', ofHost(key, withoutPort)],
  (key) => {
    const what = 'its host ends with a dot, which does not count in a lookup';
    return ['trailing-dot', what, ofHost(key, (host) => host.replace(TRAILING_DOTS, ''))];
  },
  (key) => ['leading-dot', 'a wildcard is written "*."', ofHost(key, (host) => host.replace(/^\.(?=.)/, '*.'))],
  (key) => [
    'star-without-dot',
    'a wildcard is written "*."',
    ofHost(key, (host) => host.replace(/^\*+(?=[^.*])/, '*.')),
  ],
  (key) => ['idn-key', 'clients send A-labels (xn--) for letters beyond ASCII', ofHost(key, aLabelsOf)],
  (key) => ['upper-case', 'lookups are in lower case', ofHost(key, (host) => host.toLowerCase())],
  (key) => ['deep-wildcard', 'wildcards reach five labels deep at most', ofHost(key, shortened)],
];

/** Applies a function to the host of a key, and keeps its path. */
function ofHost(key: string, mend: (host: string) => string): string {
  const { host, prefix } = splitKey(key);
  return mend(host) + prefix;
}

function ofPath(key: string, mend: (path: string) => string): string {
  const at = key.search(/[/?#]/);
  return at < 0 ? key : key.slice(0, at) + mend(key.slice(at));
}

function pathSlip(key: string): string {
  const { prefix } = splitKey(key);
  return (prefix === '' ? null : prefixFault(prefix)) ?? 'it has a query';
}

/** The prefix that was probably meant; "" for all paths. It may still be one that no request can match. */
export function mendedPrefix(text: string): string {
  if (text.length > 2 * MAX_PREFIX.length) return text;
  const [path = ''] = text.trim().split(/[?#]/, 1);
  const slashed = path === '' || path.startsWith('/') ? path : `/${path}`;
  return slashed.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '');
}

function withoutPort(key: string): string {
  return key.replace(/^((?:[^:[\]]+|\[[^\]]*\])):[0-9]*$/, '$1');
}

/** A wildcard with as many labels as lookups use. */
function shortened(key: string): string {
  const suffix = key.startsWith('*.') ? key.slice(2) : '';
  if (suffix === '' || hostOf(suffix) !== suffix) return key;
  return candidates(`x.${suffix}`)[1] ?? key;
}

/** The result of checking a key that is not a frontend's. */
export interface UnknownKeysReading {
  readonly fault: Fault;
  /** The frontend's key that was meant; for dead marks the host. */
  readonly meant: string;
}

/**
 * Checks whether a key was meant to be a frontend's or a dead mark's, but is misspelled.
 * @param key as the store spells it
 * @param prefix of the driver URL
 */
export function readUnknownKey(key: string, prefix: string, advice: Advice): UnknownKeysReading | null {
  // The prefix may be misspelled or missing, too.
  const rest = key.startsWith(prefix) ? key.slice(prefix.length) : key;
  const [, word = '', sign = '', name = ''] = /^\s*([a-z][a-z_ -]{0,40}?)\s*([:;,./|=]+)(.+)$/is.exec(rest) ?? [];
  const kind = kindOf(word);
  if (kind === null || (word === kind && sign === ':')) return null;
  const { meant } = readKey(name, advice);
  // In a shared Redis, "front:page" may belong to another program.
  if (meant === null || (word.toLowerCase() !== kind && !/[.*:]/.test(meant))) return null;
  const wanted = `${prefix}${kind}:${meant}`;
  const text = `no request looks up ${JSON.stringify(key)}: it should be ${JSON.stringify(wanted)}`;
  return { meant, fault: fault('misspelt-prefix', text, rename(key, wanted)) };
}

/** A frontend's key with another prefix than the driver URL's, or without one; null for other keys. */
export function readOtherPrefix(key: string, prefix: string, advice: Advice): UnknownKeysReading | null {
  const [, other = '', name = ''] = /^(.*?)frontend:(.+)$/s.exec(key) ?? [];
  const { meant } = readKey(name, advice);
  if (meant === null || other === prefix) return null;
  const ours =
    prefix === '' ? 'the driver URL has no prefix' : `the prefix of the driver URL is ${JSON.stringify(prefix)}`;
  const text = `${JSON.stringify(key)} may be another router's: ${ours}`;
  return { meant, fault: fault('other-prefix', text, rename(key, `${prefix}frontend:${meant}`)) };
}

/** A host without `frontend:`. */
export function readBare(key: string, prefix: string): UnknownKeysReading | null {
  const name = key.startsWith(prefix) ? key.slice(prefix.length) : key;
  if (!mayBeAskedFor(name)) return null;
  const wanted = `${prefix}frontend:${name}`;
  const text = `no request looks up ${JSON.stringify(key)}: it should be ${JSON.stringify(wanted)}`;
  return { meant: name, fault: fault('misspelt-prefix', text, rename(key, wanted)) };
}

function kindOf(word: string): 'frontend' | 'dead' | null {
  const bare = word.toLowerCase().replaceAll(/[_ -]/g, '');
  // A word of four letters is near too many others.
  if (/^deads?$/.test(bare)) return 'dead';
  if ((bare.length < 7 && bare !== 'front') || bare.length > 10) return null;
  return nearest(bare, ['frontend']) === null ? null : 'frontend';
}

function rename(key: string, wanted: string): string {
  return command('RENAMENX', key, wanted);
}
