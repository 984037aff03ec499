/** The operator's log, live. */
import type { EventLine } from '../admin/answers.ts';
import { eventProtocols, fetchEvents } from './api.ts';
import { announce, byId, make, render, select, setText } from './elements.ts';
import { eventsList, hasEvents, isAtLeast, keepEvent } from './event-log.ts';
import { refreshRoutes } from './refresh-routes.ts';
import { routerTime } from './traffic.ts';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** Older events are not announced, s: after each connect the router sends its last events again. */
const NEWS_SECONDS = 10;

/** Events that change a route. */
const ROUTE_EVENTS = new Set([
  'backend-dead',
  'backend-alive',
  'death-unfiled',
  'route-fault',
  'routes-loaded',
  'store-up',
  'store-down',
  'store-emptied',
]);

interface Log {
  socket: WebSocket | null;
  retryTimer: ReturnType<typeof setTimeout> | undefined;
  retryMs: number;
  isFollowing: boolean;
  isDrawScheduled: boolean;
}

const log: Log = {
  socket: null,
  retryTimer: undefined,
  retryMs: FIRST_RETRY_MS,
  isFollowing: false,
  isDrawScheduled: false,
};

/** Opens a WebSocket for events, and reopens it whenever it closes. */
export function followEvents(): void {
  log.isFollowing = true;
  log.retryMs = FIRST_RETRY_MS;
  // A socket from before the router went away may not have noticed that yet: it is replaced.
  openSocket();
}

export function stopFollowing(): void {
  log.isFollowing = false;
  clearTimeout(log.retryTimer);
  log.socket?.close();
  log.socket = null;
  showFollowing();
}

function openSocket(): void {
  clearTimeout(log.retryTimer);
  log.socket?.close();
  const url = new URL('api/v1/events', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, eventProtocols());
  log.socket = socket;
  socket.addEventListener('open', showFollowing);
  socket.addEventListener('message', ({ data }) => {
    if (socket !== log.socket) return;
    log.retryMs = FIRST_RETRY_MS;
    try {
      addEvent(JSON.parse(String(data)) as EventLine);
    } catch {
      // Not an event: not shown.
    }
  });
  socket.addEventListener('close', () => {
    if (socket !== log.socket) return;
    log.socket = null;
    showFollowing();
    if (!log.isFollowing) return;
    log.retryTimer = setTimeout(openSocket, log.retryMs * (0.75 + Math.random() / 2));
    log.retryMs = Math.min(LONGEST_RETRY_MS, log.retryMs * 2);
  });
}

function isLive(): boolean {
  return log.socket?.readyState === WebSocket.OPEN;
}

/** Fetches the events where no WebSocket gets through. Rejects when the router does not respond. */
export async function pollEvents(): Promise<void> {
  if (isLive()) return;
  for (const line of await fetchEvents()) addEvent(line);
}

function addEvent(line: EventLine): void {
  const event = keepEvent(line);
  if (event === null) return;
  scheduleDraw();
  if (!ROUTE_EVENTS.has(event.event)) return;
  refreshRoutes();
  const isNews = Date.parse(event.time) / 1000 > routerTime() - NEWS_SECONDS;
  if (isNews) announce(event.msg);
}

/** Many events at once are drawn once. A hidden tab draws them when it is visible again. */
function scheduleDraw(): void {
  if (log.isDrawScheduled) return;
  log.isDrawScheduled = true;
  requestAnimationFrame(() => {
    log.isDrawScheduled = false;
    showEvents();
  });
}

/** Shows whether events arrive as they happen. */
export function showFollowing(): void {
  const state = byId('events-state');
  setText(state, isLive() ? 'Live' : 'Not live');
  state.className = isLive() ? 'mark good' : 'mark doubtful';
}

/** Shows the events of the chosen level and above, the newest first. */
export function showEvents(): void {
  const least = select('events-level').value;
  const shown = eventsList((event) => isAtLeast(event, least));
  const none = hasEvents() ? 'No event of this level or above.' : 'No event yet.';
  render(byId('events-list'), shown ?? make('p', { class: 'empty' }, none));
}
