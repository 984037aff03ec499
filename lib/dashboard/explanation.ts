/** The page of a host: where the router sends a request for it, and why; its backends, requests and events. */
import type { ExplainAnswer } from '../admin/answers.ts';
import { fetchExplanation, isUnauthorized, reasonOf } from './api.ts';
import { byId, make, render, setText } from './elements.ts';
import { explanationParts } from './explanation-parts.ts';
import { linkTo, readLink, type SiteLink } from './site-link.ts';
import { routerTime } from './traffic.ts';

interface Shown extends SiteLink {
  response: ExplainAnswer | null;
  /** performance.now() of that response. */
  receivedAt: number;
  /** Epoch seconds of the router when it came. */
  seconds: number;
  /** The number of the last request. */
  requested: number;
  /** Whether the next response, to whichever request, moves the focus to the explanation. */
  takesFocus: boolean;
  /** What had the focus before. */
  opener: Element | null;
}

const shown: { -readonly [Field in keyof Shown]: Shown[Field] } = {
  host: '',
  path: '/',
  response: null,
  receivedAt: 0,
  seconds: 0,
  requested: 0,
  takesFocus: false,
  opener: null,
};

/** Opens the page of a host: the address of the browser becomes its link. Rejects when a token is required. */
export async function explain(host: string, path: string): Promise<void> {
  const link = linkTo(host, path.startsWith('/') ? path : `/${path}`);
  // The page follows the address.
  if (link !== location.hash) location.hash = link;
  else await followLink();
}

/** Shows what the address of the browser says: the page of a host, or all. Rejects when a token is required. */
export async function followLink(): Promise<void> {
  const link = readLink(location.hash);
  if (link === null) return leave();
  shown.opener ??= document.activeElement;
  Object.assign(shown, link);
  shown.response = null;
  shown.takesFocus = true;
  setText(byId('explanation-fault'), '');
  byId('explanation').hidden = false;
  byId('overview').hidden = true;
  showExplanation();
  window.scrollTo(0, 0);
  await fetchShown();
}

/** Whether the page of a host is open. */
export function isExplaining(): boolean {
  return !byId('explanation').hidden;
}

/** Fetches the shown explanation again. Rejects when a token is required. */
export async function refreshExplanation(): Promise<void> {
  if (isExplaining()) await fetchShown();
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
    shown.seconds = Math.floor(routerTime());
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

/** Goes back to all frontends. */
export function closeExplanation(): void {
  history.pushState(null, '', location.pathname + location.search);
  leave();
}

function leave(): void {
  if (!isExplaining()) return;
  // A response that is still to come is ignored.
  shown.requested++;
  shown.response = null;
  shown.takesFocus = false;
  byId('explanation').hidden = true;
  byId('overview').hidden = false;
  const { opener } = shown;
  shown.opener = null;
  // A link of another section leads there.
  if (location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView();
  else if (opener instanceof HTMLElement && opener.matches('#overview a, #problems a')) opener.focus();
  else byId('host').focus();
}

/** Shows the explanation that was fetched last, with its age. */
export function showExplanation(): void {
  if (!isExplaining()) return;
  const { response } = shown;
  setText(byId('explanation-title'), shown.path === '/' ? shown.host : `${shown.host}${shown.path}`);
  if (response === null) {
    const isFetching = byId('explanation-fault').textContent === '';
    render(byId('explanation-body'), isFetching && make('p', { class: 'empty' }, 'Asking the router.'));
    return;
  }
  render(byId('explanation-body'), ...explanationParts(response, shown.receivedAt, shown.seconds));
}
