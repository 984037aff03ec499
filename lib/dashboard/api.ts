/** Calls the admin API. The token is kept for as long as the tab is open. */
import type {
  EventLine,
  EventsAnswer,
  ExplainAnswer,
  FleetAnswer,
  FrontendView,
  LiveAnswer,
  SortKey,
  SummaryAnswer,
  WorkersAnswer,
} from '../admin/answers.ts';

/** Longer than the router needs to respond while its store is silent, ms. */
const TIMEOUT_MS = 8000;
const TOKEN_KEY = 'hipache.token';

/** The API, or something in front of it, responded with an error status. Status 0: the response is out of date. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Used where the browser stores nothing. */
let tokenInMemory: string | null = null;

export function currentToken(): string | null {
  try {
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return tokenInMemory;
  }
}

/** @param token null removes it */
export function storeToken(token: string | null): void {
  tokenInMemory = token;
  try {
    if (token === null) sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // The browser stores nothing: the token stays in memory.
  }
}

interface RequestOptions {
  readonly method?: 'GET' | 'PUT' | 'DELETE';
  readonly body?: unknown;
}

/**
 * Sends a request, and resolves to the JSON of its response. Rejects with an ApiError for an error status; with the
 * browser's error when there is no response.
 * @param path below `api/v1/`
 */
async function request(path: string, { method = 'GET', body }: RequestOptions = {}): Promise<unknown> {
  const token = currentToken();
  const response = await fetch(`api/v1/${path}`, {
    method,
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // A 401 for a token that was replaced meanwhile must not discard the new one.
  if (response.status === 401 && token !== currentToken()) throw new ApiError(0, 'The token was replaced meanwhile.');
  if (!response.ok) throw new ApiError(response.status, messageIn(text) ?? `The router responded ${response.status}.`);
  return text === '' ? null : JSON.parse(text);
}

function messageIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: unknown } };
    return typeof error?.message === 'string' ? error.message : null;
  } catch {
    return null;
  }
}

/** Whether the router requires a token, or another one. */
export function isUnauthorized(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Why a request failed, for the operator. */
export function reasonOf(error: unknown): string {
  return error instanceof ApiError ? error.message : 'The router does not respond.';
}

function frontendPath(key: string): string {
  return `frontends/${encodeURIComponent(key)}`;
}

export async function fetchLive(query: '' | `?seconds=${number}`): Promise<LiveAnswer> {
  return (await request(`live${query}`)) as LiveAnswer;
}

/** Which frontends, in which order. */
export interface SummaryQuery {
  readonly sort: SortKey;
  readonly state: string;
  /** A part of the keys or identifiers; empty for all. */
  readonly match: string;
  readonly from: number;
  readonly limit: number;
}

export async function fetchSummary({ sort, state, match, from, limit }: SummaryQuery): Promise<SummaryAnswer> {
  const query = new URLSearchParams({ sort, state, match, from: String(from), limit: String(limit) });
  return (await request(`summary?${query.toString()}`)) as SummaryAnswer;
}

export async function fetchFrontend(key: string): Promise<FrontendView> {
  return (await request(frontendPath(key))) as FrontendView;
}

export async function fetchExplanation(host: string, path: string): Promise<ExplainAnswer> {
  return (await request(`${frontendPath(host)}/explain?path=${encodeURIComponent(path)}`)) as ExplainAnswer;
}

/** Creates or replaces a frontend. */
export async function putFrontend(key: string, name: string, backends: readonly string[]): Promise<void> {
  await request(frontendPath(key), { method: 'PUT', body: { name, backends } });
}

export async function deleteFrontend(key: string): Promise<void> {
  await request(frontendPath(key), { method: 'DELETE' });
}

export async function fetchWorkers(): Promise<WorkersAnswer> {
  return (await request('workers')) as WorkersAnswer;
}

export async function fetchFleet(): Promise<FleetAnswer> {
  return (await request('fleet')) as FleetAnswer;
}

export async function fetchEvents(): Promise<readonly EventLine[]> {
  return ((await request('events')) as EventsAnswer).events;
}

/** The subprotocols that carry the token: a browser sends no Authorization field with a WebSocket. */
export function eventProtocols(): string[] {
  const token = currentToken();
  if (token === null) return [];
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(String.fromCharCode(...bytes));
  const url = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return ['hipache.events', `hipache.token.${url}`];
}
