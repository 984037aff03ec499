/** Explains where a request for a host goes, by the router's own rules. */
import { readList, routeOf } from '../core/routing/backend.ts';
import { RouterError } from '../core/errors.ts';
import { withChecked } from '../core/health/checked.ts';
import { candidates, hostOf, PING_HOST } from '../core/routing/hostname.ts';
import type { SiteFields } from '../core/routing/site.ts';
import { pathOf } from '../core/routing/prefixes.ts';
import type { SiteFeature } from '../sites/feature.ts';
import { SITE_HASHES } from '../sites/hashes.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { withDown } from '../store/editor/router-marks.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import { MAX_LIST } from '../store/limits.ts';
import { isFresh, type Lookup } from '../store/redis/codec.ts';
import { checkedIds, checkViews } from './check-views.ts';
import { explainCertificate } from './certificate-faults.ts';
import { faultsBesideChecker, faultsOfChecker } from './checker-faults.ts';
import { faultsOfDead } from './dead-faults.ts';
import type { AnswerView, DeadView, Explanation } from './explanation.ts';
import { faultsOfFrontend, marksOf, viewOf } from './frontend.ts';
import { keyViews } from './key-views.ts';
import { nearOf } from './near.ts';
import { metadataOf } from './site-metadata.ts';
import { answerOf, type Circumstances, refused } from './site-answer.ts';
import { siteOptions } from './site-options.ts';
import { lookupOf, wayOf, type Way } from './way.ts';

/** Settings that the explanation depends on. */
export interface Surroundings extends Circumstances {
  /** The default options of frontends. */
  readonly config?: SiteFields | undefined;
  /** The features of sites, where they are not FEATURES. */
  readonly features?: readonly SiteFeature[] | undefined;
}

const UNKNOWN: Surroundings = { scheme: 'http', httpsPort: undefined };

/**
 * Explains a request, except for the workers' own memory, which only a running router has.
 * @param asked the Host field, as a client sends it
 * @throws EditorError when the store cannot be read
 */
export async function explain(
  editor: RouteEditor,
  asked: string,
  path: string,
  surroundings = UNKNOWN,
): Promise<Explanation> {
  const advice = editor.advice;
  const host = hostOf(aLabelsOf(asked));
  const checker = await editor.checker();
  const now = Date.now();
  const store = {
    name: editor.name,
    hasHealthChecker: isFresh(checker.ping, now),
    faults: faultsOfChecker(checker, editor.prefix, now),
  };
  const asking = { asked, host, path };
  const nothing = { ...NO_ROUTE, keys: [], beside: [], dead: null, certificate: null, near: [], store };
  if (host === null) return { ...asking, answer: notAHost(asked), ...nothing };
  if (host === PING_HOST) return { ...asking, answer: PONG, ...nothing };
  const keys = candidates(host);
  const way = await wayOf(editor, keys, host, path);
  const found = await wayOn(editor, keys, host, asking, way, surroundings, store.hasHealthChecker);
  const near = nearOf(await editor.near(host), host, editor);
  return {
    ...asking,
    ...found,
    keys: await keyViews(editor, keys, pathOf(path), way, advice),
    prefix: prefixOf(editor, keys, way),
    beside: await siteMetadataOf(editor, keys.slice(0, way.last + 1), found.route?.key ?? null, surroundings.features),
    dead: deadView(host, way),
    certificate: await explainCertificate(editor, host, now),
    near,
    store,
  };
}

const NO_ROUTE = { route: null, prefix: null, options: [], asks: null, checks: [] } as const;

/** The list that counts, and its effect. */
async function wayOn(
  editor: RouteEditor,
  keys: readonly string[],
  host: string,
  { asked, path }: Pick<Explanation, 'asked' | 'path'>,
  way: Way,
  surroundings: Surroundings,
  hasHealthChecker: boolean,
): Promise<Pick<Explanation, 'answer' | 'route' | 'options' | 'asks' | 'checks'>> {
  const { key, prefix, list, dead, marks, deaths, found } = whatCounts(keys, way);
  if (list === null) return { ...NO_ROUTE, answer: refused(new RouterError('no-frontend', 'frontend not found')) };
  const advice = editor.advice;
  const unseen = hasHealthChecker && editor.prefix === '' ? faultsBesideChecker(key, list, advice) : [];
  const faults = [...faultsOfFrontend(key, list, advice), ...unseen];
  const entry = { key, list, dead, marks, deaths };
  if (found.type === 'none') throw new Error('an empty list was found');
  if (found.type !== 'found') return { ...NO_ROUTE, route: viewOf(entry, faults), answer: broken(key, found) };
  const { site, views } = await siteOptions(editor, key, {
    options: surroundings.config,
    features: surroundings.features,
  });
  const entries = readList(found.list, () => {});
  const checks = await editor.checks(key);
  const checked = checkedIds(checks, entries);
  const counted = withChecked(marksOf(entry, entries), checked, entries);
  // Where all backends are down, none of them counts as dead.
  const isInEffect = checked.down.every((id) => counted.dead.has(id));
  const route = viewOf(isInEffect ? withDown(entry, checks) : entry, faults);
  const taken = routeOf(host + prefix, key, entries, counted, site);
  const authority = aLabelsOf(asked);
  const visit = { scheme: surroundings.scheme, authority, hostname: host, path, port: null };
  const answer = answerOf(taken, visit, surroundings, dead.secondsLeft);
  const isAsked = answer.kind === 'backend' || answer.kind === 'paused';
  const asks = isAsked ? site.targetFor(path, prefix) : null;
  return { answer, route, options: views, asks, checks: checkViews(checks, entries, Date.now()) };
}

/** The list that counts, of the host or a prefix. If the host's own key has another type, all requests fail. */
function whatCounts(keys: readonly string[], { look, own, hit }: Way) {
  if (hit !== null && (own.type === 'none' || own.type === 'found')) {
    const { key, prefix, list, dead, marks, deaths } = hit;
    return { key, prefix, list, dead, marks, deaths, found: lookupOf({ lists: [list], dead, marks }) };
  }
  const index = own.type === 'none' ? -1 : own.index;
  const { dead, marks, deaths } = look;
  return { key: keys[index] ?? '', prefix: '', list: look.lists[index] ?? null, dead, marks, deaths, found: own };
}

function broken(key: string, found: Exclude<Lookup, { type: 'none' | 'found' }>): AnswerView {
  const what = found.type === 'wrong-type' ? `is a ${found.found}, not a list` : `is longer than ${MAX_LIST} elements`;
  return refused(new RouterError('route-broken', `frontend:${key} ${what}`));
}

function prefixOf(editor: RouteEditor, keys: readonly string[], { paths, hit, passed }: Way): Explanation['prefix'] {
  const key = keys[paths];
  if (key === undefined) return null;
  return {
    key: editor.metadataKey('prefixes', key),
    matched: hit?.prefix ?? null,
    passed: passed.map(({ prefix }) => prefix),
  };
}

/** @param keys the keys that count @param key the key of the route */
async function siteMetadataOf(
  editor: RouteEditor,
  keys: readonly string[],
  key: string | null,
  features: readonly SiteFeature[] | undefined,
): Promise<Explanation['beside']> {
  const all = [...new Set([...(key === null ? [] : [key]), ...keys, '*'])];
  const sides = [
    metadataOf(editor, 'prefixes', keys),
    ...SITE_HASHES.map((hash) => metadataOf(editor, hash, all, features)),
    // Not inherited.
    metadataOf(editor, 'healthcheck', key === null ? keys : [key]),
    metadataOf(editor, 'errors', all),
  ];
  return (await Promise.all(sides)).flat();
}

function deadView(host: string, { look, own, hit }: Way): DeadView {
  const { dead, marks } = hit ?? look;
  const index = own.type === 'none' ? -1 : own.index;
  const list = hit?.list ?? look.lists[index];
  const { key, type, holds, secondsLeft } = dead;
  const faults = faultsOfDead(host, { dead, marks }, list?.holds ?? null);
  return { key, type, holds, secondsLeft, faults };
}

function notAHost(asked: string): AnswerView {
  if (asked === '') return refused(new RouterError('no-host', 'no Host'));
  return refused(new RouterError('bad-host', `${JSON.stringify(asked.slice(0, 300))} is not a host`));
}

const PONG: AnswerView = { kind: 'refused', status: 200, code: null, text: 'the router responds itself: ok' };
