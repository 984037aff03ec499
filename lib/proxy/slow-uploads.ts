import { originOf } from '../core/routing/backend.ts';
import type { Backend } from '../core/routing/types.ts';

/** A slow upload that was admitted. */
interface Upload {
  readonly client: string;
  readonly giveUp: () => void;
}

/**
 * Limits the slow uploads to a backend: half of its concurrent requests are kept free of them. While others upload,
 * too, one client has at most half of that half.
 */
export class SlowUploads {
  /** By the backend's origin; uploads in the order of arrival. */
  readonly #backends = new Map<string, Set<Upload>>();

  /**
   * Admits an upload; null when there are too many. The returned function removes it. Idempotent.
   * @param client as `clientKey` returns it
   * @param limit concurrent requests of the backend
   * @param giveUp called at most once: the client has more than its share, and another client uploads
   */
  enter(backend: Backend, client: string, limit: number, giveUp: () => void): (() => void) | null {
    const origin = originOf(backend);
    const uploads = this.#backends.get(origin) ?? new Set<Upload>();
    const most = Math.max(1, Math.floor(limit / 2));
    if (uploads.size >= most) {
      const excess = newestOfMost(uploads, client, Math.max(1, Math.floor(most / 2)));
      if (excess === null) return null;
      uploads.delete(excess);
      excess.giveUp();
    }
    const upload: Upload = { client, giveUp };
    uploads.add(upload);
    this.#backends.set(origin, uploads);
    return () => {
      uploads.delete(upload);
      if (uploads.size === 0 && this.#backends.get(origin) === uploads) this.#backends.delete(origin);
    };
  }
}

/** The latest upload of the client with the most uploads, if it is another client and has more than its share. */
function newestOfMost(uploads: ReadonlySet<Upload>, client: string, share: number): Upload | null {
  const counts = new Map<string, number>();
  let newest: Upload | null = null;
  let most = share;
  for (const upload of uploads) {
    const count = (counts.get(upload.client) ?? 0) + 1;
    counts.set(upload.client, count);
    if (count <= most || upload.client === client) continue;
    most = count;
    newest = upload;
  }
  return newest;
}
