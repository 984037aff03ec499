import { packagePagesFolder } from '../../config/package.ts';
import { describeCause, type Log } from '../../observe/log.ts';
import { Pages } from '../../proxy/pages.ts';

/** The router's error pages: those of the package, and of `server.staticDir` before them. Unreadable ones are logged. */
export function readPages(staticDir: string | null, log: Log): Pages {
  const folders = staticDir === null ? [packagePagesFolder] : [packagePagesFolder, staticDir];
  return Pages.read(folders, (path, cause) =>
    log.error({ event: 'page-unreadable', path, cause: describeCause(cause) }, `cannot read error pages from ${path}`),
  );
}
