/** Why a request for a host goes where it goes, by the router's own rules. */
import { buildRoute } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import { candidates, hostOf, PING_HOST } from '../core/hostname.ts';
import { choose } from '../core/selection.ts';
import type { Backend, Selection } from '../core/types.ts';
import type { BookLook, Held, RouteBook } from '../store/book.ts';
import { NOBODY } from '../store/dead-marks.ts';
import { MAX_LIST } from '../store/limits.ts';
import { idsOf, isFresh, type Lookup, lookupOfPipeline } from '../store/redis-codec.ts';
import type { Advice } from './advice.ts';
import { explainCertificate } from './certificate-faults.ts';
import { faultsOfChecker, faultsOfDead } from './dead-faults.ts';
import type { AnswerView, DeadView, Explanation, KeyView, Verdict } from './explanation.ts';
import { adviceFor, faultsOfFrontend, viewOf } from './frontend.ts';
import { nearOf } from './near.ts';

/**
 * Explains the way of a request. All but the worker's own memory, which only a running router knows.
 * @param asked the Host field, as a client sends it
 * @throws BookError when the store cannot be looked at
 */
export async function explain(book: RouteBook, asked: string, path: string): Promise<Explanation> {
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
  const nothing = { keys: [], route: null, dead: null, certificate: null, near: [], store };
  if (host === null) return { ...asking, answer: notAHost(asked), ...nothing };
  if (host === PING_HOST) return { ...asking, answer: PONG, ...nothing };
  const keys = candidates(host);
  const look = await book.look(keys, host);
  const found = lookupOf(look);
  const list = found.type === 'none' ? null : (look.lists[found.index] ?? null);
  const key = found.type === 'none' ? null : (keys[found.index] ?? null);
  const near = nearOf(await book.near(host), host, book, advice);
  return {
    ...asking,
    answer: answerOf(host, key, found, look.dead),
    keys: look.lists.map((held, i) => keyView(keys[i] ?? '', held, verdictOf(i, held, found), advice)),
    route: key === null || list === null ? null : viewOf(key, list, look.dead, faultsOfFrontend(key, list, advice)),
    dead: deadView(host, look.dead, list),
    certificate: await explainCertificate(book, host, now),
    near,
    store,
  };
}

/** What the router's own rule makes of a host's keys. */
export function lookupOf({ lists, dead }: BookLook): Lookup {
  const replies = [...lists.map(replyOf), dead.type === 'set' || dead.type === 'none' ? dead.holds : wrongType()];
  const types = [...lists, dead].map(({ type }) => type);
  return lookupOfPipeline(
    replies.flatMap((reply, i) => [types[i], reply]),
    false,
  );
}

function replyOf({ type, holds }: Held): unknown {
  return type === 'list' || type === 'none' ? holds : wrongType();
}

function wrongType(): Error {
  return new Error('WRONGTYPE');
}

function verdictOf(index: number, held: Held, found: Lookup): Verdict {
  if (held.type === 'none') return found.type !== 'none' && isEnd(found, index) ? 'not reached' : 'absent';
  if (found.type !== 'none' && isEnd(found, index)) return 'not reached';
  if (held.type !== 'list' || held.length > MAX_LIST) return 'unusable';
  return held.length === 1 ? 'names no backend' : 'used';
}

/** Whether the lookup ended before this key. One that found only identifiers went through to the last. */
function isEnd(found: Exclude<Lookup, { type: 'none' }>, index: number): boolean {
  const wentOn = found.type === 'found' && found.list.length === 1;
  return !wentOn && index > found.index;
}

function keyView(key: string, held: Held, verdict: Verdict, advice: Advice): KeyView {
  const { type, holds, secondsLeft } = held;
  const faults = faultsOfFrontend(key, held, advice);
  return { key: held.key, type, holds, secondsLeft, verdict, faults: type === 'none' ? [] : faults };
}

function deadView(host: string, dead: Held, list: Held | null): DeadView {
  const { key, type, holds, secondsLeft } = dead;
  const faults = faultsOfDead(host, dead, list?.holds ?? null);
  return { key, type, holds, secondsLeft, faults };
}

function answerOf(host: string, key: string | null, found: Lookup, dead: Held): AnswerView {
  switch (found.type) {
    case 'none':
      return refused(new RouterError('no-frontend', 'frontend not found'));
    case 'wrong-type':
      return refused(new RouterError('route-broken', `frontend:${key} holds a ${found.found}, not a list`));
    case 'too-long':
      return refused(new RouterError('route-broken', `frontend:${key} is longer than ${MAX_LIST} elements`));
    case 'found':
      return choiceOf(host, key ?? '', found.list, typeof found.dead === 'string' ? [] : found.dead, dead);
  }
}

/** What the router would choose from. */
function choiceOf(
  host: string,
  key: string,
  list: readonly string[],
  marks: readonly string[],
  { secondsLeft }: Held,
): AnswerView {
  const size = list.length - 1;
  const ids = marks.length === 0 ? NOBODY : idsOf(marks, size);
  const route = buildRoute(host, key, list, ids, () => {});
  let living: readonly Backend[] = [];
  const see: Selection = (alive) => {
    living = alive;
    return alive[0] as Backend;
  };
  const traits = { method: 'GET', path: '/', clientIp: '', hasBody: false };
  try {
    choose(route, new Set(), see, traits, () => 0);
  } catch (error) {
    if (!(error instanceof RouterError)) throw error;
    const wait = ids.size > 0 && secondsLeft !== null ? `; their marks end in ${Math.ceil(secondsLeft)} s` : '';
    return refused(error, wait);
  }
  const backends = `${living.length} living backend${living.length === 1 ? '' : 's'} of ${size}`;
  const text = living.length === 1 ? `the one of ${backends}` : `one of ${backends}, each as likely as the next`;
  return { kind: 'backend', status: null, code: null, text };
}

function refused({ status, code, message }: RouterError, more = ''): AnswerView {
  return { kind: 'refused', status, code, text: `${message}${more}` };
}

function notAHost(asked: string): AnswerView {
  if (asked === '') return refused(new RouterError('no-host', 'no Host'));
  return refused(new RouterError('bad-host', `${JSON.stringify(asked.slice(0, 300))} is no host`));
}

const PONG: AnswerView = { kind: 'refused', status: 200, code: null, text: 'the router answers it itself: ok' };
