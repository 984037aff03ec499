/** Starts the page, and connects every button, form and key with what it does. */
import { followPointer } from './charts.ts';
import { attempt, forgetToken, pollAll, pollNow, showConnection, startPolling, submitToken } from './connection.ts';
import {
  addBackend,
  addFrontend,
  confirmDeletion,
  deleteEdited,
  editFrontend,
  removeBackend,
  saveFrontend,
} from './editor.ts';
import { byId, dialog, field, select, setText } from './elements.ts';
import { followEvents, pollEvents, showEvents, showFollowing, stopFollowing } from './events.ts';
import { copyFrom } from './copying.ts';
import {
  closeExplanation,
  explain,
  followLink,
  isExplaining,
  refreshExplanation,
  showExplanation,
} from './explanation.ts';
import {
  filterFrontends,
  nextPage,
  previousPage,
  refreshFrontends,
  searchFrontends,
  sortFrontends,
} from './frontends.ts';
import { expandProblems } from './problems.ts';
import { currentTheme, nextTheme } from './theme.ts';
import { showTraffic } from './traffic.ts';
import { refreshFleet } from './fleet.ts';
import { refreshWorkers } from './workers.ts';

/** After the last key, ms, a search begins. */
const SEARCH_AFTER_MS = 250;
/** How often ages and the remaining time of dead marks are updated, ms. */
const REDRAW_MS = 1000;

function showTheme(): void {
  setText(byId('theme'), `Theme: ${currentTheme()}`);
}

/** What buttons do, by their `data-action`. */
const ACTIONS: Readonly<Record<string, (pressed: HTMLElement) => void>> = {
  explain: ({ dataset }) => {
    const host = dataset['host'] ?? '';
    field('host').value = host;
    field('path').value = '/';
    attempt(() => explain(host, '/'));
  },
  'explain-again': () => attempt(refreshExplanation),
  'close-explanation': closeExplanation,
  edit: ({ dataset }) => attempt(() => editFrontend(dataset['key'] ?? '')),
  'new-frontend': addFrontend,
  'add-backend': addBackend,
  'remove-backend': removeBackend,
  'delete-frontend': confirmDeletion,
  'confirm-delete': () => attempt(deleteEdited),
  'close-confirm': () => dialog('confirm').close(),
  'close-editor': () => dialog('editor').close(),
  copy: (pressed) => void copyFrom(pressed),
  sort: ({ dataset }) => sortFrontends(dataset['sort'] ?? ''),
  filter: ({ dataset }) => filterFrontends(dataset['filter'] ?? ''),
  'more-problems': () => expandProblems(true),
  'fewer-problems': () => expandProblems(false),
  'previous-page': previousPage,
  'next-page': nextPage,
  'try-now': pollNow,
  'forget-token': forgetToken,
  theme: () => {
    nextTheme();
    showTheme();
  },
};

/** What forms do, by their id. */
const FORMS: Readonly<Record<string, () => void>> = {
  'explain-form': () => {
    const host = field('host').value.trim();
    if (host !== '') attempt(() => explain(host, field('path').value.trim() || '/'));
  },
  'token-form': submitToken,
  'editor-form': () => attempt(saveFrontend),
  'search-form': search,
};

document.addEventListener('click', ({ target }) => {
  const pressed = target instanceof Element ? target.closest('button[data-action]') : null;
  if (pressed instanceof HTMLElement) ACTIONS[pressed.dataset['action'] ?? '']?.(pressed);
});

document.addEventListener('submit', (event) => {
  event.preventDefault();
  if (event.target instanceof HTMLFormElement) FORMS[event.target.id]?.();
});

let searchTimer: ReturnType<typeof setTimeout> | undefined;
field('search').addEventListener('input', () => {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(search, SEARCH_AFTER_MS);
});

function search(): void {
  searchFrontends(field('search').value.trim());
}

select('events-level').addEventListener('change', showEvents);

// "/" moves the focus to the field for a host, unless the operator is typing.
document.addEventListener('keydown', (event) => {
  const { target } = event;
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof Element && target.closest('input, select, textarea, dialog') !== null) return;
  event.preventDefault();
  field('host').select();
  field('host').focus();
});

// Escape closes the page of a host. A dialog closes itself.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
  if (isExplaining()) closeExplanation();
});

const follow = (): void => attempt(followLink);
window.addEventListener('hashchange', follow);

// A hidden tab sends no requests; it fetches what it has missed when it is visible again.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) pollAll();
});

followPointer(byId('numbers'), showTraffic);
followPointer(byId('explanation-body'), showExplanation);

setInterval(() => {
  if (document.hidden) return;
  showExplanation();
  showConnection();
}, REDRAW_MS);

showTheme();
showFollowing();
startPolling({
  onConnect: followEvents,
  onDisconnect: stopFollowing,
  slowPolls: [refreshFrontends, refreshExplanation, refreshWorkers, refreshFleet, pollEvents],
});
follow();
