/**
 * What a client gets from a route, by the router's own rules: a redirect, a wait, a refusal, or a backend's response.
 */
import { NO_VALUES } from '../core/balance/sticky.ts';
import { RecentTurns } from '../core/balance/turns.ts';
import { RouterError } from '../core/errors.ts';
import { type Redirect, redirectByEntry, type Visit } from '../core/routing/redirect.ts';
import { choose, NO_LOAD, NO_RESTS, NO_TRIALS } from '../core/routing/selection.ts';
import { NO_IDENTITY } from '../core/http/trait.ts';
import type { Site } from '../core/routing/site.ts';
import type { Backend, Route } from '../core/routing/types.ts';
import type { AnswerView } from './explanation.ts';

const DEFAULT_TLS_PORT = 443;
/** Chances, loads and secrets are not known here. */
const UNUSED = {
  loadOf: () => NO_LOAD,
  random: () => 0,
  now: () => 0,
  turns: new RecentTurns(),
  zone: null,
  sticky: NO_VALUES,
  aliveSince: () => 0,
  trials: NO_TRIALS,
  outliers: NO_RESTS,
};
const TRAITS = { method: 'GET', path: '/', clientIp: '', hasBody: false, ...NO_IDENTITY };

const GUESSED = ', at the port of https.bind';

/** Properties of a request that the response depends on and that are not in the store. */
export interface Circumstances {
  /** The client's scheme. */
  readonly scheme: 'http' | 'https';
  /** The port where clients can use TLS: null if there is none, undefined when it is unknown. */
  readonly httpsPort: number | null | undefined;
  /** The router's zone, if it has one that is known. */
  readonly zone?: string | null;
  /** The configuration's limits, as far as they are known, by the names of the options that they cap; 0 is none. */
  readonly caps?: ReadonlyMap<string, number>;
}

const NO_CAPS: ReadonlyMap<string, number> = new Map();

/** @param marksLeft the TTL of the dead marks, seconds; null without expiry */
export function answerOf(
  route: Route,
  visit: Visit,
  { httpsPort, zone = null, caps = NO_CAPS }: Omit<Circumstances, 'scheme'>,
  marksLeft: number | null,
): AnswerView {
  const { site } = route;
  const admission = site.admit(visit, httpsPort === undefined ? DEFAULT_TLS_PORT : httpsPort);
  switch (admission?.type) {
    case undefined:
      return withCaps(choiceOf(route, visit, marksLeft, zone), site, caps);
    case 'redirected':
      return sent(admission.redirect, httpsPort === undefined && isPortGuessed(site, visit) ? GUESSED : '');
    case 'refused':
      return refused(admission.error);
    case 'held':
      return { kind: 'paused', status: null, code: null, text: admission.text };
  }
}

/** Whether a redirect leads to the router's own TLS port, which is only known from the configuration. */
function isPortGuessed(site: Site, visit: Visit): boolean {
  const [usual, other] = [DEFAULT_TLS_PORT, DEFAULT_TLS_PORT + 1].map((port) => {
    const admission = site.admit(visit, port);
    return admission?.type === 'redirected' ? admission.redirect.location : null;
  });
  return usual !== other;
}

/** The backends that the router would choose from. */
function choiceOf(route: Route, visit: Visit, marksLeft: number | null, zone: string | null): AnswerView {
  let living: readonly Backend[] = [];
  const see = (alive: readonly Backend[]): Backend => {
    living = alive;
    return alive[0] as Backend;
  };
  const { balance } = route.site;
  const seen = balance === null ? route : { ...route, site: { ...route.site, balance: { ...balance, select: see } } };
  let first: Backend | null;
  try {
    first = choose(seen, new Set(), { ...UNUSED, select: see }, TRAITS);
  } catch (error) {
    if (!(error instanceof RouterError)) throw error;
    const wait = route.dead.size > 0 && marksLeft !== null ? `; their marks expire in ${Math.ceil(marksLeft)} s` : '';
    return refused(error, wait);
  }
  if (first?.redirect && living.every(({ redirect }) => redirect !== null)) {
    const more = living.length === 1 ? '' : `, or to the target of another of ${living.length} entries`;
    return sent(redirectByEntry(first.redirect, route.prefix, visit, route.site.redirectStatus), more);
  }
  if (living.length === 1 && first?.protocol === 'file:') {
    const text = `the files of ${first.path}, which the router serves itself if its configuration allows it`;
    return { kind: 'backend', status: null, code: null, text };
  }
  const backends = `${living.length} living backend${living.length === 1 ? '' : 's'} of ${route.size}`;
  const usable = balance?.candidates(living, route, zone) ?? living;
  const others = usable.length < living.length ? ' (the others are draining, backups, or in other zones)' : '';
  const chosen = others === '' ? backends : `${usable.length} of ${backends}${others}`;
  const way =
    usable.length === 1 ? `the one of ${chosen}` : `one of ${chosen}, ${balance?.text ?? 'with equal probability'}`;
  const rests = route.site.eject === null ? '' : '; each worker rests those that fail far more often than the others';
  return { kind: 'backend', status: null, code: null, text: way + rests };
}

/** Adds which limits of a site are more than the configuration allows. */
function withCaps(view: AnswerView, { fields }: Site, caps: ReadonlyMap<string, number>): AnswerView {
  if (view.kind !== 'backend') return view;
  const capped = [...caps].filter(([name, cap]) => cap > 0 && Number(fields.get(name) ?? 0) > cap);
  const texts = capped.map(([name, cap]) => `; ${name} is ${cap}, since server.${name} allows no more`);
  return { ...view, text: view.text + texts.join('') };
}

function sent({ status, location }: Redirect, more: string): AnswerView {
  return { kind: 'redirect', status, code: null, text: `the client is redirected to ${location}${more}` };
}

/** The view of an error response. @param more text to append */
export function refused({ status, code, message }: RouterError, more = ''): AnswerView {
  return { kind: 'refused', status, code, text: `${message}${more}` };
}
