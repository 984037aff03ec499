import type { DriverUrl } from '../core/driver-url.ts';
import type { UrlRules } from '../core/url-rules.ts';
import type { RouteBook } from './book.ts';
import { FileBook } from './file-book.ts';
import { RedisBook } from './redis-book.ts';

/** How a book is opened. */
export interface BookSettings {
  /** A command, or an edit, takes no longer, ms. */
  readonly timeoutMs: number;
  /** Not given where no configuration is known. */
  readonly urls?: UrlRules;
}

/**
 * Opens the routes that the driver URLs name, to look at them and to edit them. Of Redis, edits go to the second URL.
 * @throws Error when the URLs do not go together
 */
export function openBook(read: DriverUrl, write: DriverUrl, { timeoutMs, urls }: BookSettings): RouteBook {
  if (read.scheme === 'redis' && write.scheme === 'redis') {
    return new RedisBook(read.redis, write.redis, timeoutMs, urls);
  }
  if (read.scheme !== 'file' || write.scheme !== 'file' || read.path !== write.path) {
    throw new Error('driver: both URLs must be of redis, or both of the same file');
  }
  return new FileBook(read.path, timeoutMs, urls);
}
