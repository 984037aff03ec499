import type { DriverUrl } from '../../core/routing/driver-url.ts';
import type { UrlRules } from '../../core/routing/url-rules.ts';
import type { RouteEditor } from '../editor/route-editor.ts';
import { FileEditor } from '../editor/file-editor.ts';
import { RedisEditor } from '../editor/redis-editor.ts';

/** How an editor is opened. */
export interface EditorSettings {
  /** A command, or an edit, takes no longer, ms. */
  readonly timeoutMs: number;
  /** Not given where no configuration is known. */
  readonly urls?: UrlRules;
  /** Whether a routes file comes with the program, and is not to be edited. */
  readonly isPackaged?: (path: string) => boolean;
}

/**
 * Opens the routes that the driver URLs name, to look at them and to edit them. Of Redis, edits go to the second URL.
 * @throws Error when the URLs do not go together
 */
export function openEditor(
  read: DriverUrl,
  write: DriverUrl,
  { timeoutMs, urls, isPackaged }: EditorSettings,
): RouteEditor {
  if (read.scheme === 'redis' && write.scheme === 'redis') {
    return new RedisEditor(read.redis, write.redis, timeoutMs, urls);
  }
  if (read.scheme !== 'file' || write.scheme !== 'file' || read.path !== write.path) {
    throw new Error('driver: both URLs must be of redis, or both of the same file');
  }
  return new FileEditor(read.path, timeoutMs, urls, isPackaged);
}
