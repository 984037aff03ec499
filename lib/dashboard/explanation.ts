/** Explains where the router sends a request for a host, and why. */
import type { LiveExplanation, FrontendView, KeyView, MemoryView } from '../admin/answers.ts';
import { fetchExplanation, isUnauthorized, reasonOf } from './api.ts';
import { byId, make, type Part, render, setText } from './elements.ts';
import { backendItem, faultsList } from './frontends.ts';
import { count, duration } from './words.ts';

/** How many elements of a list are shown. */
const MAX_ELEMENTS = 50;

interface Shown {
  host: string;
  path: string;
  response: LiveExplanation | null;
  /** performance.now() of that response. */
  receivedAt: number;
  /** The number of the last request. */
  requested: number;
  /** Whether the next response, to whichever request, moves the focus to the explanation. */
  takesFocus: boolean;
}

const shown: Shown = { host: '', path: '/', response: null, receivedAt: 0, requested: 0, takesFocus: false };

/** Fetches and shows the explanation of a host, and moves the focus to it. Rejects when a token is required. */
export async function explain(host: string, path: string): Promise<void> {
  shown.host = host;
  shown.path = path.startsWith('/') ? path : `/${path}`;
  shown.response = null;
  shown.takesFocus = true;
  setText(byId('explanation-fault'), '');
  byId('explanation').hidden = false;
  showExplanation();
  await fetchShown();
}

/** Fetches the shown explanation again. Rejects when a token is required. */
export async function refreshExplanation(): Promise<void> {
  if (!byId('explanation').hidden && shown.host !== '') await fetchShown();
}

async function fetchShown(): Promise<void> {
  const number = ++shown.requested;
  const { host, path } = shown;
  const fault = byId('explanation-fault');
  try {
    const response = await fetchExplanation(host, path);
    if (number !== shown.requested) return;
    shown.response = response;
    shown.receivedAt = performance.now();
    setText(fault, '');
  } catch (error) {
    if (number !== shown.requested) return;
    shown.takesFocus = false;
    setText(fault, `${host} cannot be explained: ${reasonOf(error)}`);
    if (isUnauthorized(error)) throw error;
  } finally {
    if (number === shown.requested) showExplanation();
  }
  if (shown.takesFocus) byId('explanation-title').focus();
  shown.takesFocus = false;
}

export function closeExplanation(): void {
  // A response that is still to come is ignored.
  shown.requested++;
  shown.response = null;
  shown.takesFocus = false;
  byId('explanation').hidden = true;
  byId('host').focus();
}

/** Shows the explanation that was fetched last, with its age. */
export function showExplanation(): void {
  if (byId('explanation').hidden) return;
  const { response } = shown;
  setText(byId('explanation-title'), `Why ${shown.host} goes where it goes`);
  if (response === null) {
    const isFetching = byId('explanation-fault').textContent === '';
    render(byId('explanation-body'), isFetching && make('p', { class: 'empty' }, 'Asking the router.'));
    return;
  }
  const { answer, asked, host, near } = response;
  const as = host !== null && host !== asked ? `, looked up as ${host}` : '';
  const age = (performance.now() - shown.receivedAt) / 1000;
  const isServed = answer.kind !== 'refused';
  render(
    byId('explanation-body'),
    make(
      'p',
      { class: `verdict ${isServed ? 'good' : 'bad'}`, id: 'verdict' },
      make('strong', {}, verdictOf(answer)),
      answer.text,
    ),
    make(
      'p',
      { class: 'aside' },
      `Asked for ${asked}${as}, path ${response.path}. Read ${age < 1.5 ? 'just now' : `${duration(age)} ago`} from ${response.store.name}`,
      response.store.hasHealthChecker ? ', with an active health checker.' : '.',
    ),
    ...(response.route === null ? [] : routeParts(response.route, response.dead)),
    make('h3', {}, 'Keys, in the order of lookup'),
    make('ol', { class: 'keys' }, ...response.keys.map(keyItem)),
    ...(near.length === 0 ? [] : nearKeys(near)),
    make('h3', {}, 'What each worker remembers'),
    memories(response.workers, age),
  );
}

function verdictOf({ kind, status }: LiveExplanation['answer']): string {
  switch (kind) {
    case 'backend':
      return 'Served: ';
    case 'paused':
      return 'Kept waiting: ';
    case 'redirect':
      return `Redirected with ${status}: `;
    case 'refused':
      return `Refused with ${status}: `;
  }
}

function routeParts(route: FrontendView, dead: LiveExplanation['dead']): readonly Part[] {
  return [
    make('h3', {}, `Backends of ${route.key}`, route.name === '' ? '' : `, “${route.name}”`),
    route.backends.length === 0
      ? make('p', { class: 'empty' }, 'None.')
      : make('ul', { class: 'backends' }, ...route.backends.map((each) => backendItem(each, shown.receivedAt))),
    faultsList(route.faults),
    dead === null
      ? null
      : make(
          'div',
          { class: 'dead-key' },
          make('code', { class: 'name' }, dead.key),
          ' ',
          deadText(dead),
          faultsList(dead.faults),
        ),
  ];
}

function deadText({ holds, secondsLeft }: NonNullable<LiveExplanation['dead']>): string {
  if (holds.length === 0) return 'does not exist: no backend is marked dead.';
  const ids = `${holds.length === 1 ? 'id' : 'ids'} ${holds.join(', ')}`;
  return `holds the ${ids}${secondsLeft === null ? ', without expiry' : `, for ${timeLeft(secondsLeft)} more`}.`;
}

/** @param seconds when the response was received */
function timeLeft(seconds: number): string {
  return duration(Math.ceil(seconds - (performance.now() - shown.receivedAt) / 1000));
}

function keyItem({ key, type, holds, secondsLeft, verdict, faults }: KeyView): HTMLElement {
  const expiry = secondsLeft === null ? '' : `, expires in ${timeLeft(secondsLeft)}`;
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

function nearKeys(near: LiveExplanation['near']): readonly Part[] {
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

function memoryItem({ pid, generation, knows, ageSeconds, backends, dead }: MemoryView, age: number): HTMLElement {
  return make(
    'li',
    { 'data-row': pid, class: `knows-${knows}` },
    make('span', {}, `Worker ${pid}, generation ${generation}: `),
    make('span', { class: 'mark' }, FRESHNESS[knows]),
    ageSeconds !== null && make('span', { class: 'aside' }, ` from ${duration(ageSeconds + age)} ago`),
    backends.length > 0 &&
      make('ul', { class: 'backends' }, ...backends.map((url, id) => rememberedBackend(url, id, dead.includes(id)))),
  );
}

function rememberedBackend(url: string, id: number, isDead: boolean): HTMLElement {
  const state = isDead ? 'dead' : 'alive';
  return make(
    'li',
    { 'data-row': id, class: `backend ${state}` },
    make('span', { class: 'name' }, url),
    ' ',
    make('span', { class: 'mark' }, state),
  );
}
