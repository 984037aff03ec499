import { originOf } from '../core/routing/backend.ts';
import type { Backend } from '../core/routing/types.ts';

/** A slow upload that was let in. */
interface Upload {
  readonly client: string;
  readonly giveUp: () => void;
}

/**
 * Bounds the requests to a backend that wait for clients who take their time over a body: half of the requests that it
 * takes at a time are kept for everybody else, however many such clients there are. One client has no more than half of
 * that half when others want to upload, too.
 */
export class SlowUploads {
  /** By the backend's origin; each in the order of their coming. */
  readonly #backends = new Map<string, Set<Upload>>();

  /**
   * Lets one more in; null when there are too many. What it returns takes it out again. Idempotent.
   * @param client as `clientKey` says
   * @param room requests that the backend takes at a time
   * @param giveUp called at most once: the client has more than its share, and another one comes
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

/** The latest upload of the client with the most, if these are more than its share, and it is another client. */
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
