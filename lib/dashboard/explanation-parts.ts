/** What the page of a host shows. */
import type { EventLine, ExplainAnswer, FrontendView, KeyView, MemoryView, Seconds } from '../admin/answers.ts';
import { backendsTable, faultsList, rememberedBackend } from './backends.ts';
import { button, make, type Part } from './elements.ts';
import { eventsList } from './event-log.ts';
import { whereRequested } from './series.ts';
import { trafficCards, type TrafficSeries } from './traffic-cards.ts';
import { count, duration } from './words.ts';

/** How many elements of a list are shown. */
const MAX_ELEMENTS = 50;

/**
 * The parts of the page.
 * @param receivedAt performance.now() of the response. @param seconds epoch seconds of the router when it came
 */
export function explanationParts(response: ExplainAnswer, receivedAt: number, seconds: number): readonly Part[] {
  const { answer, asked, host, near } = response;
  const as = host !== null && host !== asked ? `, looked up as ${host}` : '';
  const age = (performance.now() - receivedAt) / 1000;
  return [
    make(
      'p',
      { class: `verdict ${moodOf(response)}`, id: 'verdict' },
      make('strong', {}, verdictOf(answer)),
      answer.text,
    ),
    make(
      'p',
      { class: 'aside' },
      `Asked for ${asked}${as}, path ${response.path}. Read ${age < 1.5 ? 'just now' : `${duration(age)} ago`} from ${response.store.name}`,
      response.store.hasHealthChecker ? ', with an active health checker.' : '.',
    ),
    ...(response.route === null ? [] : routeParts(response.route, response, receivedAt, seconds)),
    make('h3', {}, 'Keys, in the order of lookup'),
    make('ol', { class: 'keys' }, ...response.keys.map((key) => keyItem(key, receivedAt))),
    ...(near.length === 0 ? [] : nearKeys(near)),
    make('h3', {}, 'What each worker remembers'),
    memories(response.workers, age),
  ];
}

function verdictOf({ kind, status }: ExplainAnswer['answer']): string {
  switch (kind) {
    case 'backend':
      return 'Goes to ';
    case 'paused':
      return 'Kept waiting: ';
    case 'redirect':
      return `Redirected with ${status}: `;
    case 'refused':
      return `Refused with ${status}: `;
  }
}

/** A backend that has failed within the last minute is not shown as good, even if it is not marked dead. */
function moodOf({ answer, activity, route }: ExplainAnswer): string {
  if (answer.kind === 'refused') return 'bad';
  const used = new Set(route?.backends.filter(({ state }) => state === 'alive').map(({ id }) => id));
  const hasFailed = activity?.backends.some(({ id, errorsPerSecond }) => used.has(id) && errorsPerSecond > 0);
  return hasFailed ? 'doubtful' : 'good';
}

function routeParts(
  route: FrontendView,
  { activity, checks, dead, host, traffic }: ExplainAnswer,
  receivedAt: number,
  seconds: number,
): readonly Part[] {
  return [
    make(
      'div',
      { class: 'title' },
      make('h3', {}, `Backends of ${route.key}`, route.name === '' ? '' : `, “${route.name}”`),
      button('edit', 'Edit', { 'data-key': route.key, 'aria-label': `Edit ${route.key}` }),
    ),
    ...backendsTable(route.backends, activity, checks, receivedAt),
    faultsList(route.faults),
    dead === null
      ? null
      : make(
          'div',
          { class: 'dead-key' },
          make('code', { class: 'name' }, dead.key),
          ' ',
          deadText(dead, receivedAt),
          faultsList(dead.faults),
        ),
    make('h3', {}, `Requests of “${route.name}”`),
    traffic === null
      ? make(
          'p',
          { class: 'empty' },
          'No request in the last five minutes, or no metrics of its own: see metrics.topN.',
        )
      : make('div', { class: 'numbers' }, ...trafficCards('site-', requestedOnly(traffic), seconds)),
    make('h3', {}, 'Events'),
    eventsList(({ fields }) => isAbout(fields, route.key, host)) ??
      make('p', { class: 'empty' }, 'None among the last 200 of the router.'),
  ];
}

/** Latencies of those seconds alone that had a request. */
function requestedOnly({ requests, errors, p50, p99 }: Seconds): TrafficSeries {
  return { requests, errors, p50: whereRequested(p50, requests), p99: whereRequested(p99, requests) };
}

function isAbout(fields: EventLine, key: string, host: string | null): boolean {
  return ['frontend', 'key', 'host'].some((field) => fields[field] === key || fields[field] === (host ?? key));
}

function deadText({ holds, secondsLeft }: NonNullable<ExplainAnswer['dead']>, receivedAt: number): string {
  if (holds.length === 0) return 'does not exist: no backend is marked dead.';
  const ids = `${holds.length === 1 ? 'id' : 'ids'} ${holds.join(', ')}`;
  return `holds the ${ids}${secondsLeft === null ? ', without expiry' : `, for ${timeLeft(secondsLeft, receivedAt)} more`}.`;
}

/** @param seconds when the response was received */
function timeLeft(seconds: number, receivedAt: number): string {
  return duration(Math.ceil(seconds - (performance.now() - receivedAt) / 1000));
}

function keyItem({ key, type, holds, secondsLeft, verdict, faults }: KeyView, receivedAt: number): HTMLElement {
  const expiry = secondsLeft === null ? '' : `, expires in ${timeLeft(secondsLeft, receivedAt)}`;
  return make(
    'li',
    { class: `verdict-${verdict.replaceAll(' ', '-')}` },
    make('code', { class: 'name' }, key),
    ' ',
    make('span', { class: 'mark' }, verdict),
    type !== 'none' && make('span', { class: 'aside' }, ` ${type}${expiry}`),
    holds.length > 0 && elementsList(holds),
    faultsList(faults),
  );
}

/** The elements of a frontend's list: its identifier, then its backends. */
function elementsList(elements: readonly string[]): HTMLElement {
  const rest = elements.length - MAX_ELEMENTS;
  return make(
    'ol',
    { class: 'holds', start: 0 },
    ...elements
      .slice(0, MAX_ELEMENTS)
      .map((element, i) =>
        make(
          'li',
          { class: 'name' },
          element === '' ? '(empty)' : element,
          make('span', { class: 'aside' }, i === 0 ? ' identifier' : ` backend ${i - 1}`),
        ),
      ),
    rest > 0 && make('li', { class: 'aside' }, `and ${count(rest)} more`),
  );
}

function nearKeys(near: ExplainAnswer['near']): readonly Part[] {
  return [
    make('h3', {}, 'Keys that were probably meant for this host'),
    make(
      'ul',
      { class: 'keys' },
      ...near.map(({ key, faults }) => make('li', {}, make('code', { class: 'name' }, key), faultsList(faults))),
    ),
  ];
}

const FRESHNESS: Readonly<Record<MemoryView['knows'], string>> = {
  fresh: 'fresh: used without asking the store',
  stale: 'stale: used only while the store does not reply',
  nothing: 'nothing: asks the store',
};

/** @param age of the response, in seconds */
function memories(workers: readonly MemoryView[], age: number): HTMLElement {
  if (workers.length === 0) return make('p', { class: 'empty' }, 'No worker responded.');
  return make('ul', { class: 'keys' }, ...workers.map((worker) => memoryItem(worker, age)));
}

function memoryItem(memory: MemoryView, age: number): HTMLElement {
  const { pid, generation, knows, ageSeconds, backends } = memory;
  return make(
    'li',
    { 'data-row': pid, class: `knows-${knows}` },
    make('span', {}, `Worker ${pid}, generation ${generation}: `),
    make('span', { class: 'mark' }, FRESHNESS[knows]),
    ageSeconds !== null && make('span', { class: 'aside' }, ` from ${duration(ageSeconds + age)} ago`),
    backends.length > 0 &&
      make('ul', { class: 'backends' }, ...backends.map((url, id) => rememberedBackend(url, id, memory))),
  );
}
