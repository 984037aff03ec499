'use strict';
/* The page's life: the pulse that asks the router each second, what happens when it is gone, and every button. */

const PULSE_MS = 1000;
const ROUND_MS = 4000;
/** Each so many beats the whole span is asked for, since the busiest change. */
const FULL_EVERY = 5;
const LONGEST_RETRY_MS = 10_000;
/**
 * When rows are asked for after an event, ms: a death is told before it is filed, and the store may take its time.
 */
const AFTER_EVENT_MS = [250, 1250];

/** @type {{ state: 'new' | 'fine' | 'lost' | 'locked', since: number, failures: number, retryAt: number, why: string }} */
const contact = { state: 'new', since: Date.now(), failures: 0, retryAt: 0, why: '' };

const pulse = {
  beats: 0,
  isBeating: false,
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  beat: undefined,
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  round: undefined,
};

async function beat() {
  clearTimeout(pulse.beat);
  if (pulse.isBeating || document.hidden || contact.state === 'locked') return;
  pulse.isBeating = true;
  const isFull = contact.state !== 'fine' || pulse.beats % FULL_EVERY === 0 || traffic.live === null;
  let waitMs = PULSE_MS;
  try {
    const live = await askLive(isFull ? '' : '?seconds=15');
    pulse.beats++;
    takeInTraffic(live, isFull);
    found();
    showBeat();
  } catch (error) {
    waitMs = Math.min(LONGEST_RETRY_MS, PULSE_MS * 2 ** contact.failures);
    lost(error, waitMs);
  }
  pulse.isBeating = false;
  pulse.beat = setTimeout(beat, waitMs);
}

function showBeat() {
  showTraffic();
  showState();
  if (pulse.beats % FULL_EVERY === 1) showBusiest();
  say(part('version'), traffic.live?.version ?? '');
  part('forget-token').hidden = currentToken() === null;
  showContact();
}

/** The router has answered. */
function found() {
  contact.failures = 0;
  contact.since = Date.now();
  if (contact.state === 'fine') return;
  if (contact.state === 'lost') announce('The router answers again');
  contact.state = 'fine';
  pulse.beats = 1;
  followEvents();
  void round();
}

/**
 * @param {unknown} error
 * @param {number} waitMs until the next try
 */
function lost(error, waitMs) {
  if (isLocked(error)) return lock();
  contact.failures++;
  contact.retryAt = Date.now() + waitMs;
  contact.why = reasonOf(error);
  if (contact.state !== 'lost') {
    if (contact.state === 'fine') announce('The router does not answer');
    contact.state = 'lost';
    leaveEvents();
  }
  showContact();
}

/** The router wants a token, or another one. */
function lock() {
  if (contact.state === 'locked') return;
  contact.state = 'locked';
  clearTimeout(pulse.beat);
  clearTimeout(pulse.round);
  leaveEvents();
  say(part('token-fault'), currentToken() === null ? '' : 'The router did not accept this token.');
  keepToken(null);
  showContact();
  field('token').focus();
}

function unlock() {
  const input = field('token');
  const token = input.value.trim();
  if (token === '') return;
  input.value = '';
  keepToken(token);
  contact.state = 'new';
  void beat();
}

function forgetToken() {
  keepToken(null);
  location.reload();
}

/** All that may be some seconds old. */
async function round() {
  clearTimeout(pulse.round);
  if (document.hidden || contact.state !== 'fine') return;
  await Promise.all([attempt(askForFrontends), attempt(askForWorkers), attempt(askForEvents)]);
  clearTimeout(pulse.round);
  pulse.round = setTimeout(round, ROUND_MS);
}

/**
 * Does something that asks the router. What the router refuses is said where it was asked for.
 * @param {() => Promise<unknown>} action
 */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (isLocked(error)) lock();
    else if (!(error instanceof Refusal)) void beat();
  }
}

/** @param {() => Promise<unknown>} action */
function refresh(action) {
  void attempt(action);
}

/** @type {Set<number>} */
const refreshing = new Set();

/** Asks for routes anew, after whatever number of events, once for each delay. */
function refreshRoutes() {
  for (const delayMs of AFTER_EVENT_MS) {
    if (refreshing.has(delayMs)) continue;
    refreshing.add(delayMs);
    setTimeout(() => {
      refreshing.delete(delayMs);
      if (contact.state !== 'fine' || document.hidden) return;
      refresh(askForFrontends);
      refresh(askAgain);
    }, delayMs);
  }
}

function showContact() {
  const { state, since, retryAt, why } = contact;
  part('token-form').hidden = state !== 'locked';
  part('contact').hidden = state !== 'lost';
  if (state === 'lost') {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const shown = traffic.live === null ? '' : ` What you see is from ${clock(since)}.`;
    say(part('contact-text'), `${why}${shown} ${seconds > 0 ? `Next try in ${seconds} s.` : 'Trying again.'}`);
  }
  const isReady = traffic.live?.ready.isReady === true;
  const [text, mood] =
    state === 'fine'
      ? isReady
        ? ['Ready', 'good']
        : ['Not ready', 'bad']
      : state === 'lost'
        ? ['No contact', 'bad']
        : state === 'locked'
          ? ['Token needed', 'doubtful']
          : ['Connecting', 'doubtful'];
  if (part('pill').textContent !== text) {
    say(part('pill'), text);
    part('pill').className = `pill ${mood}`;
    document.title = `${text} – hipache`;
  }
}

function showTheme() {
  const theme = currentTheme();
  say(part('theme'), `Theme: ${theme}`);
}

/** A host that a key stands for: a wildcard is no host. @param {string} key */
function hostUnder(key) {
  if (key === '*') return 'any.invalid';
  return key.startsWith('*.') ? `any${key.slice(1)}` : key;
}

/** What buttons do, by their `data-action`. @type {Record<string, (pressed: HTMLElement) => void>} */
const ACTIONS = {
  explain: ({ dataset }) => {
    const host = hostUnder(dataset['host'] ?? '');
    field('host').value = host;
    field('path').value = '/';
    refresh(() => explain(host, '/'));
  },
  'explain-again': () => refresh(askForExplanation),
  'close-explanation': closeExplanation,
  edit: ({ dataset }) => refresh(() => edit(dataset['key'] ?? '')),
  'new-frontend': () => refresh(() => edit(null)),
  'add-backend': () => addBackend('').focus(),
  'remove-backend': removeBackend,
  'delete-frontend': () => void confirmDeletion(),
  'confirm-delete': () => refresh(deleteEdited),
  'close-confirm': () => dialog('confirm').close(),
  'close-editor': () => dialog('editor').close(),
  'show-backends': ({ dataset }) => {
    frontends.opened.add(dataset['key'] ?? '');
    showFrontends();
  },
  'hide-backends': ({ dataset }) => {
    frontends.opened.delete(dataset['key'] ?? '');
    showFrontends();
  },
  'previous-page': previousPage,
  'next-page': nextPage,
  'try-now': () => void beat(),
  'forget-token': forgetToken,
  theme: () => {
    nextTheme();
    showTheme();
  },
};

document.addEventListener('click', ({ target }) => {
  const pressed = target instanceof Element ? target.closest('button[data-action]') : null;
  if (pressed instanceof HTMLElement) ACTIONS[pressed.dataset['action'] ?? '']?.(pressed);
});

/** What forms do, by their id. @type {Record<string, () => void>} */
const FORMS = {
  'explain-form': () => {
    const host = field('host').value.trim();
    if (host !== '') refresh(() => explain(host, field('path').value.trim() || '/'));
  },
  'token-form': unlock,
  'editor-form': () => refresh(saveFrontend),
  'search-form': () => searchFrontends(field('search').value.trim()),
};

document.addEventListener('submit', (event) => {
  event.preventDefault();
  if (event.target instanceof HTMLFormElement) FORMS[event.target.id]?.();
});

/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;
field('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => searchFrontends(field('search').value.trim()), 250);
});

part('events-level').addEventListener('change', showEvents);

document.addEventListener('keydown', (event) => {
  const { target } = event;
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof Element && target.closest('input, select, textarea, dialog') !== null) return;
  event.preventDefault();
  field('host').select();
  field('host').focus();
});

// A hidden tab asks for nothing; what it missed, it asks for when it is looked at.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  pulse.beats = 0;
  void beat();
  void round();
});

followPointer(part('numbers'), showTraffic);

setInterval(() => {
  if (document.hidden) return;
  showFrontends();
  showExplanation();
  showContact();
}, 1000);

showTheme();
showContact();
showFollowing();
void beat();
