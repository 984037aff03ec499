import { readdirSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import { readOwn } from '../files/read.ts';

/** The body of an error response. */
export interface Page {
  readonly type: string;
  readonly body: Buffer;
}

const NAME = /^error_([0-9]{3}|default)\.html$/;

/** Error pages, read once: `error_<status>.html`, else `error_default.html`, else a line of text. */
export class Pages {
  readonly #pages: ReadonlyMap<string, Page>;

  constructor(pages: ReadonlyMap<string, Page>) {
    this.#pages = pages;
  }

  /**
   * Reads the pages of several folders with `readOwn`, because a worker may still be root. Pages of a later folder
   * replace those of an earlier one. A later folder's default page replaces all earlier pages: an operator who writes
   * a single page means every error.
   * @param onFault called for each folder or page that cannot be read; the others are used
   */
  static read(folders: readonly string[], onFault: (path: string, cause: unknown) => void): Pages {
    const pages = new Map<string, Page>();
    for (const folder of folders) {
      const own = pagesIn(folder, onFault);
      if (own.has('default')) pages.clear();
      for (const [key, page] of own) pages.set(key, page);
    }
    return new Pages(pages);
  }

  for(status: number): Page {
    return this.#pages.get(String(status)) ?? this.#pages.get('default') ?? textPage(status);
  }
}

function pagesIn(folder: string, onFault: (path: string, cause: unknown) => void): Map<string, Page> {
  const pages = new Map<string, Page>();
  for (const name of namesIn(folder, onFault)) {
    const key = NAME.exec(name)?.[1];
    if (key === undefined) continue;
    const path = join(folder, name);
    try {
      pages.set(key, { type: 'text/html; charset=utf-8', body: readOwn(path) });
    } catch (cause) {
      onFault(path, cause);
    }
  }
  return pages;
}

function namesIn(folder: string, onFault: (path: string, cause: unknown) => void): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    onFault(folder, cause);
    return [];
  }
}

function textPage(status: number): Page {
  return { type: 'text/plain; charset=utf-8', body: Buffer.from(`${status} ${STATUS_CODES[status] ?? 'Error'}\n`) };
}
