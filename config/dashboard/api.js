'use strict';
/* Asking the router. The token lives as long as the tab. */

/** Longer than a router in trouble takes, ms. */
const PATIENCE_MS = 8000;
const TOKEN_KEY = 'hipache.token';

/** The API said no, or something else answered in its place. */
class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    /** @readonly */
    this.status = status;
  }
}

/** @returns {string | null} */
function currentToken() {
  try {
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    // A browser that keeps nothing.
    return tokenInMemory;
  }
}

/** @type {string | null} */
let tokenInMemory = null;

/** @param {string | null} token */
function keepToken(token) {
  tokenInMemory = token;
  try {
    if (token === null) sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // The page goes on with what it has in memory.
  }
}

/**
 * What the API answers. Rejects with a Refusal, or, when nobody answers, with what the browser says.
 * @param {string} path below `api/v1/`
 * @param {{ method?: string, body?: unknown }} [options]
 * @returns {Promise<unknown>}
 */
async function ask(path, { method = 'GET', body } = {}) {
  const token = currentToken();
  const response = await fetch(`api/v1/${path}`, {
    method,
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
    headers: {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // The answer to a question asked with a token that has been replaced says nothing of the new one.
  if (response.status === 401 && token !== currentToken()) throw new Refusal(0, 'The token was replaced meanwhile.');
  if (!response.ok) throw new Refusal(response.status, messageIn(text) ?? `The router answered ${response.status}.`);
  return text === '' ? null : JSON.parse(text);
}

/** @param {string} text */
function messageIn(text) {
  try {
    const message = JSON.parse(text)?.error?.message;
    return typeof message === 'string' ? message : null;
  } catch {
    return null;
  }
}

/** @param {unknown} error */
function isLocked(error) {
  return error instanceof Refusal && error.status === 401;
}

/** @param {unknown} error why an answer is missing, in words */
function reasonOf(error) {
  return error instanceof Refusal ? error.message : 'The router does not answer.';
}

/** @param {string} host */
function frontendPath(host) {
  return `frontends/${encodeURIComponent(host)}`;
}

/** @param {string} query */
async function askLive(query) {
  return /** @type {LiveAnswer} */ (await ask(`live${query}`));
}

/** @param {{ limit: number, cursor: string | null, match: string }} wanted */
async function askFrontends({ limit, cursor, match }) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor !== null) query.set('cursor', cursor);
  if (match !== '') query.set('match', match);
  return /** @type {FrontendsAnswer} */ (await ask(`frontends?${query}`));
}

/** @param {string} host */
async function askFrontend(host) {
  return /** @type {FrontendAnswer} */ (await ask(frontendPath(host)));
}

/**
 * @param {string} host
 * @param {string} path
 */
async function askWhy(host, path) {
  return /** @type {ExplainAnswer} */ (await ask(`${frontendPath(host)}/explain?path=${encodeURIComponent(path)}`));
}

/**
 * @param {string} host
 * @param {{ name: string, backends: readonly string[] }} frontend
 */
async function putFrontend(host, frontend) {
  return /** @type {FrontendAnswer} */ (await ask(frontendPath(host), { method: 'PUT', body: frontend }));
}

/** @param {string} host */
async function deleteFrontend(host) {
  await ask(frontendPath(host), { method: 'DELETE' });
}

async function askWorkers() {
  return /** @type {WorkersAnswer} */ (await ask('workers'));
}

async function askEvents() {
  return /** @type {{ readonly events: readonly LogEvent[] }} */ (await ask('events')).events;
}

/** The subprotocols that carry the token, since a browser sends no field of its own with a WebSocket. */
function eventProtocols() {
  const token = currentToken();
  if (token === null) return [];
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(String.fromCharCode(...bytes));
  const url = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return ['hipache.events', `hipache.token.${url}`];
}
