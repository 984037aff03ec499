/** How many lines of one name a process may log: a burst is cut short, and what it left out is counted. */

/** Lines of one name in one window. */
export const BURST_LINES = 20;
/** Each is about another backend, and is what an operator looks for: more of them are told. */
const DEATH_LINES = 100;
const DEATHS = new Set(['backend-dead', 'backend-alive']);
/** How long a window is, ms. It begins with its first line. */
export const BURST_MS = 10_000;
/** Names that are counted at a time. Names are the program's own, so that there are never so many. */
const MAX_NAMES = 500;

/** What was left out of the log. */
export interface Suppressed {
  readonly of: string;
  readonly count: number;
  /** How long it took. */
  readonly seconds: number;
}

interface Window {
  readonly since: number;
  lines: number;
  leftOut: number;
}

/** Counts lines by their name. Has no clock of its own: `now` is ms, and only differences count. */
export class Bursts {
  readonly #windows = new Map<string, Window>();
  /** Of windows that are over. */
  #untold: Suppressed[] = [];

  /** Whether there is no room for one more line of this name; if so, that line counts as left out. */
  isFull(name: string, now: number): boolean {
    const window = this.#current(name, now);
    if (window === undefined || window.lines < (DEATHS.has(name) ? DEATH_LINES : BURST_LINES)) return false;
    window.leftOut++;
    return true;
  }

  /** A line of this name is logged. */
  logged(name: string, now: number): void {
    const window = this.#current(name, now);
    if (window !== undefined) window.lines++;
    else if (this.#windows.size < MAX_NAMES) this.#windows.set(name, { since: now, lines: 1, leftOut: 0 });
  }

  /** In how many ms `take` will have something to tell; null when nothing was left out. */
  dueIn(now: number): number | null {
    if (this.#untold.length > 0) return 0;
    let due: number | null = null;
    for (const { since, leftOut } of this.#windows.values()) {
      if (leftOut > 0) due = Math.max(0, Math.min(due ?? Infinity, since + BURST_MS - now));
    }
    return due;
  }

  /**
   * What was left out in windows that are over; each is told once.
   * @param isEnd of the process: what was left out in the others, too
   */
  take(now: number, isEnd = false): readonly Suppressed[] {
    for (const [name, window] of this.#windows) if (isEnd || isOver(window, now)) this.#close(name, window, now);
    const taken = this.#untold;
    this.#untold = [];
    return taken;
  }

  /** The window that lines of this name fall in now, if it has begun. */
  #current(name: string, now: number): Window | undefined {
    const window = this.#windows.get(name);
    if (window === undefined || !isOver(window, now)) return window;
    this.#close(name, window, now);
    return undefined;
  }

  #close(name: string, { since, leftOut }: Window, now: number): void {
    this.#windows.delete(name);
    const seconds = Math.ceil(Math.min(BURST_MS, now - since) / 1000);
    if (leftOut > 0) this.#untold.push({ of: name, count: leftOut, seconds });
  }
}

function isOver({ since }: Window, now: number): boolean {
  return now - since >= BURST_MS;
}
