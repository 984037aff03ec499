/** Finds problems in an element of a list that should be a backend's URL. Pure functions. */
import { nearest } from '../config/nearest.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import { isDialled, originOf } from '../core/routing/backend.ts';
import { inTheClear } from '../core/routing/legacy-scheme.ts';
import type { Backend } from '../core/routing/types.ts';
import type { UrlRules } from '../core/routing/url-rules.ts';
import type { FaultCode } from './fault.ts';

/** The result of checking an element. */
export interface UrlReading {
  /** Why the router cannot use it; null when it can. */
  readonly unusable: string | null;
  readonly slips: readonly UrlSlip[];
}

/** One problem of an element. */
export interface UrlSlip {
  readonly code: FaultCode;
  /** The problem, to follow the URL and a colon. */
  readonly what: string;
  /** The URLs that were probably meant, usually one. */
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
/** Other spellings of the router's schemes. */
const SAME_AS: ReadonlyMap<string, string> = new Map([
  ['ws', 'http'],
  ['wss', 'https'],
  ['tcp', 'http'],
  ['grpc', 'h2c'],
  ['grpcs', 'h2'],
]);

/** Checks an element. @param id its position in the list */
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

/** Whether a text was meant as a backend's URL, in contrast to an identifier. */
export function isUrlLike(text: string): boolean {
  const trimmed = text.trim();
  // A name with only a dot may be an identifier; a scheme, a port or an address makes it a backend.
  if (/^[a-z][a-z0-9+]{1,13}(?::\/+|\/\/)[^/\s]/i.test(trimmed)) return true;
  if (/^(?:[\w.-]+|\[[0-9a-f:.]+\]):[0-9]{2,5}\/?$/i.test(trimmed)) return true;
  return /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(trimmed);
}

function slipOf(text: string, unusable: string): UrlSlip {
  const socket = socketOf(text);
  if (socket !== null) return { code: 'bad-url', what: `the URL of a socket is ${SOCKET_FORM}`, meant: [socket] };
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
    return { code: 'no-scheme', what: 'it does not start with http://', meant };
  return { code: 'bad-url', what: unusable, meant };
}

const SOCKET_FORM = 'http://[unix:/path]';

/** The URL of a socket that was written as for curl, nginx, Apache or Node programs; null for other texts. */
function socketOf(text: string): string | null {
  const [, path] = /^(?:https?:\/\/|http\+)?unix:(?:\/\/)?(\/[^:|\s]+)(?:[:|].*)?$/i.exec(text) ?? [];
  const guess = `http://[unix:${path}]`;
  return path !== undefined && 'backend' in parseBackend(guess, 0) ? guess : null;
}

/** The URL that was probably meant, if the router could use it; else null. */
function correctedOf(text: string): string | null {
  const guess = isSchemeless(text) ? `http://${text.replace(/^\/+/, '')}` : withScheme(text);
  if (guess === null) return null;
  // The user is ignored anyway, and a password must not be shown.
  const bare = guess.replace(/^((?:https?|h2c?):\/\/)[^/@]*@/i, '$1');
  return 'backend' in parseBackend(bare, 0) ? bare : null;
}

function isSchemeless(text: string): boolean {
  return /^(?:\/\/)?(?:[\w~-]+(?:\.[\w~-]+)+|[\w~-]+(?=:[0-9])|localhost|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:\/[^/].*|\/)?$/i.test(
    text,
  );
}

/** With the right scheme, for `htps://`, `https:/` and `http//`. */
function withScheme(text: string): string | null {
  const [, word = '', rest = ''] = /^([a-z][a-z0-9+-]*)\s*(?:[:;]\s*\/*|\/\/+)\s*([^/\s].*)$/i.exec(text) ?? [];
  const lower = word.toLowerCase();
  const scheme = SAME_AS.get(lower) ?? nearest(lower, SCHEMES);
  return word === '' || scheme === null ? null : `${scheme}://${rest}`;
}

/** Notes about a usable URL: parts that are ignored, or were probably not meant. */
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
    const what = `requests to it are not encrypted, and go to port ${backend.port} (server.legacyScheme)`;
    slips.push({ code: 'https-ignored', what, meant: [clear] });
  } else if (!hasPort) {
    slips.push({
      code: 'no-port',
      what: `no port; ${backend.port} is used`,
      meant: [`${origin}:${backend.port}${path}`],
    });
  }
  return slips;
}
