import type { EventLine } from './answers.ts';

/** How many events are kept. */
const KEPT = 200;

/** The last lines of the operator's log of all processes, and the listeners for new ones. */
export class EventLog {
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();

  /** Adds a line. Lines that are no JSON object are ignored. */
  add(line: string): void {
    const trimmed = line.trimEnd();
    if (readLine(trimmed) === null) return;
    this.#lines.push(trimmed);
    if (this.#lines.length > KEPT) this.#lines.shift();
    for (const listener of this.#listeners) listener(trimmed);
  }

  /** The last lines, the oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The same, parsed. */
  get events(): readonly EventLine[] {
    return this.#lines.map((line) => readLine(line) ?? {});
  }

  /** Calls a function for each new line. @returns a function that ends this */
  listen(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function readLine(line: string): EventLine | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as EventLine) : null;
  } catch {
    return null;
  }
}
