import { originOf } from '../core/routing/backend.ts';
import type { Backend } from '../core/routing/types.ts';

/** The site of an upload, as `siteOf` returns it, and its client, as `clientKey` does. */
export interface Uploader {
  readonly site: string;
  readonly client: string;
}

/** A slow upload that was admitted. */
interface Upload extends Uploader {
  readonly giveUp: () => void;
}

/**
 * Limits the slow uploads to a backend: half of its concurrent requests are kept free of them. While others upload,
 * too, one site, and one client, has at most half of that half.
 */
export class SlowUploads {
  /** By the backend's origin; uploads in the order of arrival. */
  readonly #backends = new Map<string, Set<Upload>>();

  /**
   * Admits an upload; null when there are too many. The returned function removes it. Idempotent.
   * @param limit concurrent requests of the backend
   * @param giveUp called at most once: the site or client has more than its share, and another uploads
   */
  enter(backend: Backend, uploader: Uploader, limit: number, giveUp: () => void): (() => void) | null {
    const origin = originOf(backend);
    const uploads = this.#backends.get(origin) ?? new Set<Upload>();
    const most = Math.max(1, Math.floor(limit / 2));
    if (uploads.size >= most) {
      const share = Math.max(1, Math.floor(most / 2));
      const excess = newestOfMost(uploads, 'site', uploader, share) ?? newestOfMost(uploads, 'client', uploader, share);
      if (excess === null) return null;
      uploads.delete(excess);
      excess.giveUp();
    }
    const upload: Upload = { ...uploader, giveUp };
    uploads.add(upload);
    this.#backends.set(origin, uploads);
    return () => {
      uploads.delete(upload);
      if (uploads.size === 0 && this.#backends.get(origin) === uploads) this.#backends.delete(origin);
    };
  }
}

/** The latest upload of the site or client with the most uploads, if it is another one and has more than its share. */
function newestOfMost(
  uploads: ReadonlySet<Upload>,
  by: 'site' | 'client',
  uploader: Uploader,
  share: number,
): Upload | null {
  const counts = new Map<string, number>();
  let newest: Upload | null = null;
  let most = share;
  for (const upload of uploads) {
    const holder = upload[by];
    const count = (counts.get(holder) ?? 0) + 1;
    counts.set(holder, count);
    if (count <= most || holder === uploader[by]) continue;
    most = count;
    newest = upload;
  }
  return newest;
}
