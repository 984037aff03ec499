import type { FileStore, FileStoreMaster } from '../../lib/store/file/store.ts';
import { pieceAt } from '../../lib/store/file/pieces.ts';
import type { RouteEntry } from '../../lib/store/route-table.ts';
import { encodeRoutes } from '../../lib/store/file/routes-image.ts';

/** A master that does nothing. */
export const NO_MASTER: FileStoreMaster = Object.freeze({
  wantPiece: () => {},
  wantCertificates: () => {},
  askToMark: () => {},
  askToUnmark: () => {},
  sayChecked: () => {},
  askForTrial: () => {},
  sayPassed: () => {},
  askForShares: () => {},
});

/** Gives a store new routes, as the master does. */
export function feed(store: FileStore, entries: Iterable<RouteEntry>): void {
  const image = encodeRoutes(entries);
  for (let at = 0; at < image.length;) {
    const piece = pieceAt(image, at);
    store.take(piece);
    at += piece.bytes.length;
  }
}

/** So many frontends, `site-0.test` and on, each with a name of its own and two backends. */
export function manyRoutes(count: number, url = 'http://10.0.0.1:8080'): readonly RouteEntry[] {
  return Array.from({ length: count }, (_, i) => [`site-${i}.test`, [`name ${i}`, url, `${url}/${i}`]]);
}
