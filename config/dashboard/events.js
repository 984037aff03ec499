'use strict';
/* The operator's log, as it is written. */

/** Events that are kept. */
const MANY_EVENTS = 200;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Events after which a route is not what it was. */
const ABOUT_ROUTES = new Set([
  'backend-dead',
  'backend-alive',
  'death-unfiled',
  'route-fault',
  'routes-loaded',
  'store-up',
  'store-down',
  'store-emptied',
]);

const log = {
  /** By their text: a router tells its last events again to whoever connects again. @type {Map<string, { row: number, event: LogEvent }>} */
  lines: new Map(),
  rows: 0,
  /** @type {WebSocket | null} */
  socket: null,
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer: undefined,
  waitMs: FIRST_WAIT_MS,
  isWanted: false,
  isDrawn: true,
};

/** Follows the log from now on, over every loss of the connection. */
function followEvents() {
  log.isWanted = true;
  log.waitMs = FIRST_WAIT_MS;
  // One that was there before the router went away may not know that yet.
  openEvents();
}

function leaveEvents() {
  log.isWanted = false;
  clearTimeout(log.timer);
  log.socket?.close();
  log.socket = null;
  showFollowing();
}

function openEvents() {
  clearTimeout(log.timer);
  log.socket?.close();
  const url = new URL('api/v1/events', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, eventProtocols());
  log.socket = socket;
  socket.addEventListener('open', showFollowing);
  socket.addEventListener('message', ({ data }) => {
    if (socket !== log.socket) return;
    log.waitMs = FIRST_WAIT_MS;
    try {
      takeInEvent(JSON.parse(String(data)));
    } catch {
      // What is no event is not shown.
    }
  });
  socket.addEventListener('close', () => {
    if (socket !== log.socket) return;
    log.socket = null;
    showFollowing();
    if (!log.isWanted) return;
    log.timer = setTimeout(openEvents, log.waitMs * (0.75 + Math.random() / 2));
    log.waitMs = Math.min(LONGEST_WAIT_MS, log.waitMs * 2);
  });
}

function isFollowing() {
  return log.socket?.readyState === WebSocket.OPEN;
}

/** Asks for the events where no WebSocket gets through. */
async function askForEvents() {
  if (isFollowing()) return;
  for (const event of await askEvents()) takeInEvent(event);
}

/**
 * A line of the log, with all that the page counts on.
 * @param {{ readonly [field: string]: unknown }} line
 * @returns {LogEvent}
 */
function readEvent(line) {
  const { time, level, pid, event, msg, ...fields } = line;
  return {
    time: textOf(time),
    level: textOf(level),
    pid: Number(pid),
    event: textOf(event),
    msg: textOf(msg),
    ...fields,
  };
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** @param {{ readonly [field: string]: unknown }} line */
function takeInEvent(line) {
  const event = readEvent(line);
  const text = JSON.stringify(event);
  if (log.lines.has(text)) return;
  log.lines.set(text, { row: ++log.rows, event });
  for (const oldest of log.lines.keys()) {
    if (log.lines.size <= MANY_EVENTS) break;
    log.lines.delete(oldest);
  }
  drawEventsSoon();
  if (!ABOUT_ROUTES.has(event.event)) return;
  refreshRoutes();
  const isNews = Date.parse(event.time) / 1000 > routerTime() - 10;
  if (isNews) announce(event.msg);
}

function drawEventsSoon() {
  if (!log.isDrawn) return;
  log.isDrawn = false;
  // A burst is drawn once; a hidden tab draws when it is looked at.
  requestAnimationFrame(() => {
    log.isDrawn = true;
    showEvents();
  });
}

function showFollowing() {
  const isLive = isFollowing();
  say(part('events-state'), isLive ? 'Live' : 'Not live');
  part('events-state').className = isLive ? 'mark good' : 'mark doubtful';
}

/** From the mildest. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** @param {LogEvent} event */
function levelOf({ level }) {
  return LEVELS.includes(level) ? level : 'info';
}

function showEvents() {
  const least = LEVELS.indexOf(field('events-level').value);
  const shown = [...log.lines.values()].filter(({ event }) => LEVELS.indexOf(levelOf(event)) >= least).toReversed();
  show(
    part('events-list'),
    shown.length === 0
      ? make('p', { class: 'empty' }, log.lines.size === 0 ? 'No event yet.' : 'No event as grave as that.')
      : make('ol', { class: 'events' }, ...shown.map(eventItem)),
  );
}

/** @param {{ row: number, event: LogEvent }} line */
function eventItem({ row, event }) {
  const { time, level, pid, event: name, msg, ...fields } = event;
  const more = Object.entries(fields);
  return make(
    'li',
    { 'data-row': row, class: `level-${levelOf(event)}` },
    make('time', { datetime: time, title: time }, clock(Date.parse(time))),
    make('span', { class: 'mark' }, level),
    make(
      'div',
      {},
      make('span', { class: 'name' }, msg),
      make(
        'details',
        {},
        make('summary', {}, name),
        make(
          'dl',
          { class: 'fields' },
          ...[['pid', pid], ...more].flatMap(([field, value]) => [
            make('dt', { class: 'name' }, String(field)),
            make('dd', { class: 'name' }, textOf(value)),
          ]),
        ),
      ),
    ),
  );
}
