/** Limits how many lines of one name a process logs per window, and counts the suppressed ones. */

/** How many lines of one name are logged per window. */
export const BURST_LINES = 20;
/** Lines about dead backends: each is about another backend, and operators look for them, so more are logged. */
const DEATH_LINES = 100;
const DEATHS = new Set(['backend-dead', 'backend-alive']);
/** The length of a window, ms. It starts with its first line. */
export const BURST_MS = 10_000;
/** How many names are counted. Names are those in the program, so there are never so many. */
const MAX_NAMES = 500;

/** What was suppressed. */
export interface Suppressed {
  readonly of: string;
  readonly count: number;
  /** The length of the window. */
  readonly seconds: number;
}

interface Window {
  readonly since: number;
  lines: number;
  leftOut: number;
}

/** Counts lines by name. Callers pass the time as `now`, ms; only differences matter. */
export class Bursts {
  readonly #windows = new Map<string, Window>();
  /** Suppressed lines of windows that are over, not reported yet. */
  #untold: Suppressed[] = [];

  /** Whether the limit of this name is reached. If so, the line counts as suppressed. */
  isFull(name: string, now: number): boolean {
    const window = this.#current(name, now);
    if (window === undefined || window.lines < (DEATHS.has(name) ? DEATH_LINES : BURST_LINES)) return false;
    window.leftOut++;
    return true;
  }

  /** Counts a logged line of this name. */
  logged(name: string, now: number): void {
    const window = this.#current(name, now);
    if (window !== undefined) window.lines++;
    else if (this.#windows.size < MAX_NAMES) this.#windows.set(name, { since: now, lines: 1, leftOut: 0 });
  }

  /** The time until `take` will return something, ms; null when nothing was suppressed. */
  dueIn(now: number): number | null {
    if (this.#untold.length > 0) return 0;
    let due: number | null = null;
    for (const { since, leftOut } of this.#windows.values()) {
      if (leftOut > 0) due = Math.max(0, Math.min(due ?? Infinity, since + BURST_MS - now));
    }
    return due;
  }

  /**
   * The suppressed lines of windows that are over; each is returned once.
   * @param isEnd the process exits: returns those of open windows, too
   */
  take(now: number, isEnd = false): readonly Suppressed[] {
    for (const [name, window] of this.#windows) if (isEnd || isOver(window, now)) this.#close(name, window, now);
    const taken = this.#untold;
    this.#untold = [];
    return taken;
  }

  /** The open window of this name; undefined if there is none. */
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
