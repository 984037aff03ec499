/** What is wrong with one element of a list that should be a backend's URL. Pure. */
import { nearest } from '../config/nearest.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import { isDialled, originOf } from '../core/routing/backend.ts';
import { inTheClear } from '../core/routing/legacy-scheme.ts';
import type { Backend } from '../core/routing/types.ts';
import type { UrlRules } from '../core/routing/url-rules.ts';
import type { FaultCode } from './fault.ts';

/** How an element reads. */
export interface UrlReading {
  /** In the router's words why it cannot be used; null when it can. */
  readonly unusable: string | null;
  readonly slips: readonly UrlSlip[];
}

export interface UrlSlip {
  readonly code: FaultCode;
  /** What is wrong, to follow the URL and a colon. */
  readonly what: string;
  /** The URLs that were probably meant, one in most cases. */
  readonly meant: readonly string[];
}

const SCHEMES: readonly string[] = [
  'http',
  'https',
  'h2c',
  'h2',
  'file',
  'redirect',
  'redirect+http',
  'redirect+https',
];
const UNKNOWN = 'http://HOST:PORT';
/** Schemes that say in other words what one of ours does. */
const SAME_AS: ReadonlyMap<string, string> = new Map([
  ['ws', 'http'],
  ['wss', 'https'],
  ['tcp', 'http'],
  ['grpc', 'h2c'],
  ['grpcs', 'h2'],
]);

/** @param id its place in the list */
export function readUrl(text: string, id: number, rules: UrlRules): UrlReading {
  const trimmed = text.trim();
  const parsed = parseBackend(text, id);
  const unusable = 'fault' in parsed ? parsed.fault : null;
  const pieces = trimmed.split(/[\s,;]+/).filter((piece) => piece !== '');
  if (pieces.length > 1 && pieces.every(isUrlLike)) {
    const meant = pieces.map((piece) => correctedOf(piece) ?? UNKNOWN);
    return { unusable, slips: [{ code: 'two-urls', what: `${pieces.length} URLs in one element`, meant }] };
  }
  if (unusable !== null) return { unusable, slips: [slipOf(trimmed, unusable)] };
  return { unusable, slips: 'backend' in parsed ? notesOf(text, parsed.backend, rules) : [] };
}

/** Whether a text was meant as a backend's URL: an identifier in its place is none. */
export function isUrlLike(text: string): boolean {
  const trimmed = text.trim();
  // A name with a dot and no more may be an identifier; a scheme, a port or an address makes it a backend.
  if (/^[a-z][a-z0-9+]{1,13}(?::\/+|\/\/)[^/\s]/i.test(trimmed)) return true;
  if (/^(?:[\w.-]+|\[[0-9a-f:.]+\]):[0-9]{2,5}\/?$/i.test(trimmed)) return true;
  return /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(trimmed);
}

function slipOf(text: string, unusable: string): UrlSlip {
  const socket = socketOf(text);
  if (socket !== null) return { code: 'bad-url', what: `a socket is written ${SOCKET_FORM}`, meant: [socket] };
  const meant = [correctedOf(text) ?? UNKNOWN];
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && !SCHEMES.includes(scheme) && !scheme.startsWith('redirect+')) {
    return {
      code: 'bad-scheme',
      what: `the scheme must be http, https, h2c, h2, file or redirect, and is ${JSON.stringify(scheme)}`,
      meant,
    };
  }
  if (scheme === undefined && isSchemeless(text))
    return { code: 'no-scheme', what: 'there is no http:// before it', meant };
  return { code: 'bad-url', what: unusable, meant };
}

const SOCKET_FORM = 'http://[unix:/path]';

/** The URL of a socket that was written as curl, nginx, Apache or Node programs want it; null for what is none. */
function socketOf(text: string): string | null {
  const [, path] = /^(?:https?:\/\/|http\+)?unix:(?:\/\/)?(\/[^:|\s]+)(?:[:|].*)?$/i.exec(text) ?? [];
  const guess = `http://[unix:${path}]`;
  return path !== undefined && 'backend' in parseBackend(guess, 0) ? guess : null;
}

/** The URL that was probably meant, when the router could use it; null when that cannot be told. */
function correctedOf(text: string): string | null {
  const guess = isSchemeless(text) ? `http://${text.replace(/^\/+/, '')}` : withScheme(text);
  if (guess === null) return null;
  // A user is ignored anyway, and a password is no matter for an advice.
  const bare = guess.replace(/^((?:https?|h2c?):\/\/)[^/@]*@/i, '$1');
  return 'backend' in parseBackend(bare, 0) ? bare : null;
}

function isSchemeless(text: string): boolean {
  return /^(?:\/\/)?(?:[\w~-]+(?:\.[\w~-]+)+|[\w~-]+(?=:[0-9])|localhost|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:\/[^/].*|\/)?$/i.test(
    text,
  );
}

/** With the scheme spelt right, for `htps://`, `https:/` and `http//`. */
function withScheme(text: string): string | null {
  const [, word = '', rest = ''] = /^([a-z][a-z0-9+-]*)\s*(?:[:;]\s*\/*|\/\/+)\s*([^/\s].*)$/i.exec(text) ?? [];
  const lower = word.toLowerCase();
  const scheme = SAME_AS.get(lower) ?? nearest(lower, SCHEMES);
  return word === '' || scheme === null ? null : `${scheme}://${rest}`;
}

/** Of a URL that can be used: what of it does not count, or was hardly meant. */
function notesOf(text: string, written: Backend, rules: UrlRules): readonly UrlSlip[] {
  if (!isDialled(written)) {
    return text === text.trim() ? [] : [{ code: 'space-around', what: 'white space around it', meant: [written.href] }];
  }
  const isInClear = rules.legacyScheme && written.protocol === 'https:';
  const backend = isInClear ? inTheClear(written) : written;
  const origin = originOf(backend);
  const path = rules.backendPath ? backend.path : '';
  const bare = `${origin}${path}`;
  const socket = socketOf(text.trim());
  if (socket !== null) {
    return [{ code: 'bad-url', what: `the host "unix"; a socket is written ${SOCKET_FORM}`, meant: [socket] }];
  }
  const slips: UrlSlip[] = [];
  if (text !== text.trim()) slips.push({ code: 'space-around', what: 'white space around it', meant: [bare] });
  if ((backend.path !== '' && !rules.backendPath) || /[?#]/.test(backend.href)) {
    const what = `what follows the ${rules.backendPath ? 'path' : 'host'} is ignored`;
    slips.push({ code: 'path-ignored', what, meant: [bare] });
  }
  if (/^[^/]*\/\/[^/?#]*@/.test(backend.href) && backend.socketPath === null) {
    slips.push({ code: 'user-ignored', what: 'user and password are ignored', meant: [bare] });
  }
  const hasPort = backend.socketPath !== null || /:[0-9]+$/.test(origin);
  if (isInClear) {
    const clear = `${origin.replace(/^https/, 'http')}${hasPort ? '' : `:${backend.port}`}${path}`;
    const what = `it is spoken to in the clear, at port ${backend.port} (server.legacyScheme)`;
    slips.push({ code: 'https-ignored', what, meant: [clear] });
  } else if (!hasPort) {
    slips.push({
      code: 'no-port',
      what: `no port; ${backend.port} is asked`,
      meant: [`${origin}:${backend.port}${path}`],
    });
  }
  return slips;
}
