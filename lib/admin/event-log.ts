import type { EventLine } from './answers.ts';

/** So many events are kept. */
const KEPT = 200;

/** The last lines of the operator's log, of all processes, and who wants to hear of new ones. */
export class EventLog {
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();

  /** A line was written. What is no JSON object is none of ours. */
  add(line: string): void {
    const trimmed = line.trimEnd();
    if (readLine(trimmed) === null) return;
    this.#lines.push(trimmed);
    if (this.#lines.length > KEPT) this.#lines.shift();
    for (const listener of this.#listeners) listener(trimmed);
  }

  /** The last ones, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The same, read. */
  get events(): readonly EventLine[] {
    return this.#lines.map((line) => readLine(line) ?? {});
  }

  /** @returns ends it */
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
