/** Why a request for a host goes where it goes, by the router's own rules. */
import { buildRoute } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import { candidates, hostOf, PING_HOST } from '../core/hostname.ts';
import type { OptionFields } from '../core/options.ts';
import { rewritePath } from '../core/path-rewrite.ts';
import { pathOf } from '../core/prefixes.ts';
import type { Held, RouteBook } from '../store/book.ts';
import { NOBODY } from '../store/dead-marks.ts';
import { MAX_LIST } from '../store/limits.ts';
import { idsOf, isFresh, type Lookup } from '../store/redis-codec.ts';
import { explainCertificate } from './certificate-faults.ts';
import { faultsOfChecker, faultsOfDead } from './dead-faults.ts';
import type { AnswerView, DeadView, Explanation } from './explanation.ts';
import { adviceFor, faultsOfFrontend, viewOf } from './frontend.ts';
import { keyViews } from './key-views.ts';
import { nearOf } from './near.ts';
import { sidesOf } from './sides.ts';
import { answerOf, type Circumstances, refused } from './site-answer.ts';
import { siteOptions } from './site-options.ts';
import { lookupOf, wayOf, type Way } from './way.ts';

/** What else the answer depends on. */
export interface Surroundings extends Circumstances {
  /** The options of frontends that say nothing else. */
  readonly config?: OptionFields | undefined;
}

const UNKNOWN: Surroundings = { scheme: 'http', httpsPort: undefined };

/**
 * Explains the way of a request. All but the worker's own memory, which only a running router knows.
 * @param asked the Host field, as a client sends it
 * @throws BookError when the store cannot be looked at
 */
export async function explain(
  book: RouteBook,
  asked: string,
  path: string,
  surroundings = UNKNOWN,
): Promise<Explanation> {
  const advice = adviceFor(book);
  const host = hostOf(asked);
  const checker = await book.checker();
  const now = Date.now();
  const store = {
    name: book.name,
    hasHealthChecker: isFresh(checker.ping, now),
    faults: faultsOfChecker(checker, now),
  };
  const asking = { asked, host, path };
  const nothing = { ...NO_ROUTE, keys: [], beside: [], dead: null, certificate: null, near: [], store };
  if (host === null) return { ...asking, answer: notAHost(asked), ...nothing };
  if (host === PING_HOST) return { ...asking, answer: PONG, ...nothing };
  const keys = candidates(host);
  const way = await wayOf(book, keys, host, path);
  const found = await routeOf(book, keys, host, asking, way, surroundings);
  const near = nearOf(await book.near(host), host, book, advice);
  return {
    ...asking,
    ...found,
    keys: await keyViews(book, keys, pathOf(path), way, advice),
    prefix: prefixOf(book, keys, way),
    beside: await besideOf(book, keys.slice(0, way.last + 1), found.route?.key ?? null),
    dead: deadView(host, way),
    certificate: await explainCertificate(book, host, now),
    near,
    store,
  };
}

const NO_ROUTE = { route: null, prefix: null, options: [], asks: null } as const;

/** The list that counts, and what comes of it. */
async function routeOf(
  book: RouteBook,
  keys: readonly string[],
  host: string,
  { asked, path }: Pick<Explanation, 'asked' | 'path'>,
  way: Way,
  surroundings: Surroundings,
): Promise<Pick<Explanation, 'answer' | 'route' | 'options' | 'asks'>> {
  const { key, prefix, list, dead, found } = whatCounts(keys, way);
  if (list === null) return { ...NO_ROUTE, answer: refused(new RouterError('no-frontend', 'frontend not found')) };
  const route = viewOf(key, list, dead, faultsOfFrontend(key, list, adviceFor(book)));
  if (found.type === 'none') throw new Error('a list that holds nothing was found');
  if (found.type !== 'found') return { ...NO_ROUTE, route, answer: broken(key, found) };
  const { options, views } = await siteOptions(book, key, surroundings.config);
  const marks = typeof found.dead === 'string' ? [] : found.dead;
  const ids = marks.length === 0 ? NOBODY : idsOf(marks, found.list.length - 1);
  const taken = { ...buildRoute(host + prefix, key, found.list, ids, () => {}), options };
  const visit = { scheme: surroundings.scheme, authority: asked, hostname: host, path };
  const answer = answerOf(taken, visit, surroundings, dead.secondsLeft);
  const isAsked = answer.kind === 'backend' || answer.kind === 'paused';
  const { rewrite } = options;
  const asks = !isAsked ? null : rewrite === null ? path : rewritePath(rewrite, prefix, path);
  return { answer, route, options: views, asks };
}

/** Of a host's own list and its prefixes'. A list of its own that cannot be one makes all of them fail. */
function whatCounts(keys: readonly string[], { look, own, hit }: Way) {
  if (hit !== null && (own.type === 'none' || own.type === 'found')) {
    const found = lookupOf({ lists: [hit.list], dead: hit.dead });
    return { key: hit.key, prefix: hit.prefix, list: hit.list, dead: hit.dead, found };
  }
  const index = own.type === 'none' ? -1 : own.index;
  return { key: keys[index] ?? '', prefix: '', list: look.lists[index] ?? null, dead: look.dead, found: own };
}

function broken(key: string, found: Exclude<Lookup, { type: 'none' | 'found' }>): AnswerView {
  const what =
    found.type === 'wrong-type' ? `holds a ${found.found}, not a list` : `is longer than ${MAX_LIST} elements`;
  return refused(new RouterError('route-broken', `frontend:${key} ${what}`));
}

function prefixOf(book: RouteBook, keys: readonly string[], { paths, hit, passed }: Way): Explanation['prefix'] {
  const key = keys[paths];
  if (key === undefined) return null;
  return {
    key: book.sideName('prefixes', key),
    matched: hit?.prefix ?? null,
    passed: passed.map(({ prefix }) => prefix),
  };
}

/** @param keys those that count @param key that of the route */
async function besideOf(book: RouteBook, keys: readonly string[], key: string | null): Promise<Explanation['beside']> {
  const all = [...new Set([...(key === null ? [] : [key]), ...keys, '*'])];
  const sides = [sidesOf(book, 'prefixes', keys), sidesOf(book, 'options', all), sidesOf(book, 'errors', all)];
  return (await Promise.all(sides)).flat();
}

function deadView(host: string, { look, own, hit }: Way): DeadView {
  const dead: Held = hit?.dead ?? look.dead;
  const index = own.type === 'none' ? -1 : own.index;
  const list = hit?.list ?? look.lists[index];
  const { key, type, holds, secondsLeft } = dead;
  const faults = faultsOfDead(host, dead, list?.holds ?? null);
  return { key, type, holds, secondsLeft, faults };
}

function notAHost(asked: string): AnswerView {
  if (asked === '') return refused(new RouterError('no-host', 'no Host'));
  return refused(new RouterError('bad-host', `${JSON.stringify(asked.slice(0, 300))} is no host`));
}

const PONG: AnswerView = { kind: 'refused', status: 200, code: null, text: 'the router answers it itself: ok' };
