import { frontendOf } from '../diagnostics/frontend.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { type ReadFrontend, readFrontend } from './frontend-summary.ts';

/** Frontends that are read at most. */
const MAX_FRONTENDS = 20_000;
/** Frontends of a page. */
const PAGE = 1_000;
/** After so long, ms, no further page is read. */
const LIMIT_MS = 5_000;
/** What was read is used for so long, ms. */
const FRESH_MS = 300;
/** If reading took longer than this, ms, what was read is used for so many times that longer. */
const QUICK_MS = 200;
const FRESH_TIMES = 4;

/** All frontends, as they were read. */
export interface ReadFrontends {
  /** Epoch ms. */
  readonly at: number;
  readonly isComplete: boolean;
  readonly frontends: readonly ReadFrontend[];
}

/** Reads all frontends of a store for those who ask, and less often where that takes long. */
export class AllFrontends {
  readonly #editor: RouteEditor;
  #last: { readonly read: ReadFrontends; readonly until: number } | null = null;
  #reading: Promise<ReadFrontends> | null = null;

  constructor(editor: RouteEditor) {
    this.#editor = editor;
  }

  /** @throws EditorError when the store cannot be read */
  async read(): Promise<ReadFrontends> {
    if (this.#last !== null && performance.now() < this.#last.until) return this.#last.read;
    this.#reading ??= this.#begin();
    return await this.#reading;
  }

  /** Something was edited: what was read is out of date, and what is being read may be. */
  forget(): void {
    this.#last = null;
    this.#reading = null;
  }

  #begin(): Promise<ReadFrontends> {
    const startedAt = performance.now();
    const reading = walk(this.#editor, startedAt + LIMIT_MS).then((read) => {
      const now = performance.now();
      const slowMs = Math.max(0, now - startedAt - QUICK_MS);
      // Not after an edit.
      if (this.#reading === reading) this.#last = { read, until: now + FRESH_MS + FRESH_TIMES * slowMs };
      return read;
    });
    const end = (): void => {
      if (this.#reading === reading) this.#reading = null;
    };
    reading.then(end, end);
    return reading;
  }
}

async function walk(editor: RouteEditor, until: number): Promise<ReadFrontends> {
  const at = Date.now();
  const advice = editor.advice;
  // A store may return a key twice.
  const byKey = new Map<string, ReadFrontend>();
  for (let cursor: string | null = null; ;) {
    const { entries, next } = await editor.page({ cursor, limit: PAGE, match: '' });
    for (const entry of entries) byKey.set(entry.key, readFrontend(frontendOf(entry, advice)));
    const isOver = byKey.size >= MAX_FRONTENDS || performance.now() > until;
    if (next === null || isOver) return { at, isComplete: next === null, frontends: [...byKey.values()] };
    cursor = next;
  }
}
