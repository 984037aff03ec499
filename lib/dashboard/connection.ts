/** Polls the router each second, and shows whether it responds and whether it requires a token. */
import { ApiError, currentToken, fetchLive, isUnauthorized, reasonOf, storeToken } from './api.ts';
import { announce, byId, field, setText } from './elements.ts';
import { showProblems } from './problems.ts';
import { addTraffic, lastLive, readiness, showBusiest, showState, showTraffic } from './traffic.ts';
import { clock } from './words.ts';

const POLL_MS = 1000;
/** How often what changes less is fetched, ms. */
const SLOW_POLL_MS = 4000;
/** Each so many polls fetch the whole time span and the busiest frontends; the others the last seconds alone. */
const FULL_EVERY = 5;
const LONGEST_RETRY_MS = 10_000;

type State = 'connecting' | 'connected' | 'disconnected' | 'unauthorized';

const connection = {
  state: 'connecting' as State,
  /** Epoch ms of the last response. */
  respondedAt: Date.now(),
  /** Polls in a row that failed. */
  failures: 0,
  /** When the next poll follows a failed one, epoch ms. */
  retryAt: 0,
  /** Why the last poll failed. */
  reason: '',
};

type Timer = ReturnType<typeof setTimeout> | undefined;

const polling = {
  /** Polls since the last connect. */
  count: 0,
  isRunning: false,
  timer: undefined as Timer,
  slowTimer: undefined as Timer,
};

interface Subscriber {
  /** Called when the router responds for the first time, or again. */
  readonly onConnect: () => void;
  /** Called when it stops responding, or requires another token. */
  readonly onDisconnect: () => void;
  /** Fetches what changes less. Each rejects when the router does not respond. */
  readonly slowPolls: readonly (() => Promise<void>)[];
}

let subscriber: Subscriber = { onConnect: () => {}, onDisconnect: () => {}, slowPolls: [] };

/** Begins to poll. Called once. */
export function startPolling(parts: Subscriber): void {
  subscriber = parts;
  showConnection();
  void poll();
}

/** Polls now, and not when the next poll is due. */
export function pollNow(): void {
  void poll();
}

/** Fetches everything now, for a tab that is visible again: a hidden one does not poll. */
export function pollAll(): void {
  polling.count = 0;
  void poll();
  void slowPoll();
}

export function isConnected(): boolean {
  return connection.state === 'connected';
}

/**
 * Runs an action that calls the API. The action shows why the router refused it; a missing token or response is
 * handled here.
 */
export function attempt(action: () => Promise<void>): void {
  void attempted(action);
}

async function attempted(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (isUnauthorized(error)) requireToken();
    else if (!(error instanceof ApiError)) void poll();
  }
}

async function poll(): Promise<void> {
  clearTimeout(polling.timer);
  if (polling.isRunning || document.hidden || connection.state === 'unauthorized') return;
  polling.isRunning = true;
  const isFull = !isConnected() || polling.count % FULL_EVERY === 0 || lastLive() === null;
  let waitMs = POLL_MS;
  try {
    const live = await fetchLive(isFull ? '' : '?seconds=15');
    polling.count++;
    addTraffic(live, isFull);
    connected();
    showPoll();
  } catch (error) {
    waitMs = Math.min(LONGEST_RETRY_MS, POLL_MS * 2 ** connection.failures);
    failed(error, waitMs);
  }
  polling.isRunning = false;
  polling.timer = setTimeout(pollNow, waitMs);
}

async function slowPoll(): Promise<void> {
  clearTimeout(polling.slowTimer);
  if (document.hidden || !isConnected()) return;
  await Promise.all(subscriber.slowPolls.map(attempted));
  clearTimeout(polling.slowTimer);
  polling.slowTimer = setTimeout(() => void slowPoll(), SLOW_POLL_MS);
}

function showPoll(): void {
  showTraffic();
  showState();
  showProblems();
  if (polling.count % FULL_EVERY === 1) showBusiest();
  setText(byId('version'), lastLive()?.version ?? '');
  byId('forget-token').hidden = currentToken() === null;
  showConnection();
}

function connected(): void {
  connection.failures = 0;
  connection.respondedAt = Date.now();
  if (isConnected()) return;
  if (connection.state === 'disconnected') announce('The router responds again');
  connection.state = 'connected';
  polling.count = 1;
  subscriber.onConnect();
  void slowPoll();
}

/** @param waitMs until the next poll */
function failed(error: unknown, waitMs: number): void {
  if (isUnauthorized(error)) return requireToken();
  connection.failures++;
  connection.retryAt = Date.now() + waitMs;
  connection.reason = reasonOf(error);
  if (connection.state !== 'disconnected') {
    if (isConnected()) announce('The router does not respond');
    connection.state = 'disconnected';
    subscriber.onDisconnect();
  }
  showConnection();
}

/** Stops polling until the operator has given a token. */
function requireToken(): void {
  if (connection.state === 'unauthorized') return;
  connection.state = 'unauthorized';
  clearTimeout(polling.timer);
  clearTimeout(polling.slowTimer);
  subscriber.onDisconnect();
  setText(byId('token-fault'), currentToken() === null ? '' : 'The router did not accept this token.');
  storeToken(null);
  showConnection();
  field('token').focus();
}

/** Polls again, with the token that the operator has typed. */
export function submitToken(): void {
  const input = field('token');
  const token = input.value.trim();
  if (token === '') return;
  input.value = '';
  storeToken(token);
  connection.state = 'connecting';
  void poll();
}

export function forgetToken(): void {
  storeToken(null);
  location.reload();
}

/** Shows the state, and the seconds until the next try. */
export function showConnection(): void {
  const { state, respondedAt, retryAt, reason } = connection;
  byId('token-form').hidden = state !== 'unauthorized';
  byId('contact').hidden = state !== 'disconnected';
  if (state === 'disconnected') {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const shown = lastLive() === null ? '' : ` What you see is from ${clock(respondedAt)}.`;
    const next = seconds > 0 ? `Next try in ${seconds} s.` : 'Trying again.';
    setText(byId('contact-text'), `${reason}${shown} ${next}`);
  }
  const { text, mood } = summaryOf(state);
  const pill = byId('pill');
  if (pill.textContent === text) return;
  setText(pill, text);
  pill.className = `pill ${mood}`;
  document.title = `${text} – hipache`;
}

function summaryOf(state: State): { readonly text: string; readonly mood: string } {
  switch (state) {
    case 'connecting':
      return { text: 'Connecting', mood: 'doubtful' };
    case 'connected':
      return readiness(lastLive()?.ready);
    case 'disconnected':
      return { text: 'No contact', mood: 'bad' };
    case 'unauthorized':
      return { text: 'Token needed', mood: 'doubtful' };
  }
}
