/** What the keys of `hipache top` do. Pure functions. */

/** What frontends are sorted by: as in `/api/v1/summary`. */
export const SORT_KEYS = ['traffic', 'errors', 'latency', 'state', 'key'] as const;

export type TopSort = (typeof SORT_KEYS)[number];

/** Which frontends are shown. */
export interface TopState {
  readonly sort: TopSort;
  /** A part of the key or the identifier; empty for all. */
  readonly match: string;
  /** How many frontends precede the first that is shown. */
  readonly from: number;
  /** The text of the filter while it is typed; null otherwise. */
  readonly typed: string | null;
}

const SORTS: ReadonlyMap<string, TopSort> = new Map([
  ['t', 'traffic'],
  ['e', 'errors'],
  ['l', 'latency'],
  ['s', 'state'],
  ['n', 'key'],
]);

/** The longest filter, characters. */
const MAX_FILTER = 200;

const NAMED: ReadonlyMap<string, string> = new Map([
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\u007F', 'backspace'],
  ['\b', 'backspace'],
  ['\u0003', 'quit'],
  ['\u0004', 'quit'],
  ['A', 'up'],
  ['B', 'down'],
  ['H', 'home'],
  ['F', 'end'],
  ['1~', 'home'],
  ['4~', 'end'],
  ['5~', 'page-up'],
  ['6~', 'page-down'],
]);

const ESCAPE = '\u001B';
/** A terminal's sequence for a key, as of xterm in both of its modes; or a single character. */
const KEY = new RegExp(`${ESCAPE}[[O]([0-9;]*[A-Za-z~])|${ESCAPE}|[\\s\\S]`, 'gu');

/** The keys in what a terminal has sent. Sequences of unknown keys are left out. */
export function keysIn(text: string): readonly string[] {
  return [...text.matchAll(KEY)].flatMap(([sign, sequence]) => {
    if (sequence !== undefined) return NAMED.get(sequence) ?? [];
    if (sign === ESCAPE) return 'escape';
    return NAMED.get(sign) ?? (/^\P{C}$/u.test(sign) ? sign : []);
  });
}

/**
 * The state after a key was pressed; null to quit.
 * @param room how many frontends are shown at a time. @param found how many there are
 */
export function press(state: TopState, key: string, room: number, found: number): TopState | null {
  if (key === 'quit') return null;
  if (state.typed !== null) return typeFilter(state, state.typed, key);
  const sort = SORTS.get(key);
  if (sort !== undefined) return { ...state, sort, from: 0 };
  const last = Math.max(0, found - room);
  const scrolled = (from: number): TopState => ({ ...state, from: Math.max(0, Math.min(last, from)) });
  switch (key) {
    case 'q':
    case 'Q':
      return null;
    case '/':
      return { ...state, typed: state.match };
    case 'escape':
      return { ...state, match: '', from: 0 };
    case 'down':
    case 'j':
      return scrolled(state.from + 1);
    case 'up':
    case 'k':
      return scrolled(state.from - 1);
    case 'page-down':
    case ' ':
      return scrolled(state.from + room);
    case 'page-up':
      return scrolled(state.from - room);
    case 'home':
      return scrolled(0);
    case 'end':
      return scrolled(last);
    default:
      return state;
  }
}

/** The list follows while the filter is typed. */
function typeFilter(state: TopState, typed: string, key: string): TopState {
  const filtered = (text: string): TopState => ({ ...state, typed: text, match: text, from: 0 });
  switch (key) {
    case 'enter':
      return { ...state, typed: null };
    case 'escape':
      return { ...state, typed: null, match: '', from: 0 };
    case 'backspace':
      return filtered(Array.from(typed).slice(0, -1).join(''));
    default:
      // Keys with a name of several characters write nothing.
      return Array.from(key).length === 1 && typed.length < MAX_FILTER ? filtered(typed + key) : state;
  }
}
