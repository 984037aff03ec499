import type { DriverUrl } from '../../core/routing/driver-url.ts';
import type { UrlRules } from '../../core/routing/url-rules.ts';
import type { RouteEditor } from '../editor/route-editor.ts';
import { FileEditor } from '../editor/file-editor.ts';
import { RedisEditor } from '../editor/redis-editor.ts';

/** Settings of an editor. */
export interface EditorSettings {
  /** The time limit of a command or an edit, ms. */
  readonly timeoutMs: number;
  /** Omitted when no configuration is known. */
  readonly urls?: UrlRules;
  /** Whether a routes file comes with the program, and must not be edited. */
  readonly isPackaged?: (path: string) => boolean;
  /** Who makes the edits, for the log of changes in Redis, such as `alice@host`. Omitted, no log is kept. */
  readonly by?: string;
}

/**
 * Opens the routes that the driver URLs name for reading and editing. With Redis, edits go to the second URL.
 * @throws Error when the URLs contradict each other
 */
export function openEditor(
  read: DriverUrl,
  write: DriverUrl,
  { timeoutMs, urls, isPackaged, by }: EditorSettings,
): RouteEditor {
  if (read.scheme === 'redis' && write.scheme === 'redis') {
    return new RedisEditor(read.redis, write.redis, timeoutMs, urls, by);
  }
  if (read.scheme !== 'file' || write.scheme !== 'file' || read.path !== write.path) {
    throw new Error('driver: both URLs must be Redis, or both the same file');
  }
  return new FileEditor(read.path, timeoutMs, urls, isPackaged);
}
