import { ROW, UNNAMED_ROWS, type TalliedRequests } from '../observe/tally.ts';
import { FrontendSeries } from './series.ts';

/** A frontend that had no request for so long, ms, makes room for another. */
const IDLE_MS = 300_000;

/** What was counted of one frontend since it has figures of its own. */
export interface FrontendFigures {
  /** See tally.ts. */
  readonly row: Float64Array;
  readonly series: FrontendSeries;
  /** When it last had a request, ms. */
  usedAt: number;
}

/** The figures of frontends, of all workers together: so many have their own, the rest have them in common. */
export class FrontendRows {
  readonly #max: number;
  readonly #now: () => number;
  readonly #named = new Map<string, FrontendFigures>();
  readonly #unknown: FrontendFigures;
  readonly #other: FrontendFigures;

  /** @param now ms; only differences count */
  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
    this.#unknown = this.#create();
    this.#other = this.#create();
  }

  add({ names, rows }: TalliedRequests): void {
    const now = this.#now();
    const add = (figures: FrontendFigures, index: number): void => {
      const from = rows.subarray(index * ROW, (index + 1) * ROW);
      if (from.every((count) => count === 0)) return;
      figures.usedAt = now;
      for (const [at, count] of from.entries()) figures.row[at] = (figures.row[at] ?? 0) + count;
      figures.series.add(from);
    };
    add(this.#unknown, 0);
    add(this.#other, 1);
    for (const [index, name] of names.entries()) add(this.#of(name), UNNAMED_ROWS + index);
  }

  /** All of them by label: `unknown` and `other` where they have had a request, and the rest by identifier. */
  *entries(): Iterable<readonly [label: string, figures: FrontendFigures]> {
    if (this.#unknown.usedAt > -Infinity) yield ['unknown', this.#unknown];
    if (this.#other.usedAt > -Infinity) yield ['other', this.#other];
    yield* this.#named;
  }

  /** A second is over. */
  endSecond(): void {
    for (const [, { series }] of this.entries()) series.endSecond();
  }

  #of(name: string): FrontendFigures {
    // Labels that mean something else.
    if (name === 'unknown' || name === 'other') return this.#other;
    let figures = this.#named.get(name);
    if (figures !== undefined) return figures;
    if (this.#named.size >= this.#max && !this.#forgetIdle()) return this.#other;
    figures = this.#create();
    this.#named.set(name, figures);
    return figures;
  }

  /** @returns whether there was one to forget */
  #forgetIdle(): boolean {
    const limit = this.#now() - IDLE_MS;
    for (const [name, { usedAt }] of this.#named) {
      if (usedAt < limit) return this.#named.delete(name);
    }
    return false;
  }

  #create(): FrontendFigures {
    return { row: new Float64Array(ROW), series: new FrontendSeries(), usedAt: -Infinity };
  }
}
