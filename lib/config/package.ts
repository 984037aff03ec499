import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The paths of the installed package. */

/** The folder of package.json. Found by searching upward, since compiled code is deeper than its source. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The folder of the packaged configurations. */
export const packageConfigFolder = join(packageRoot, 'config');

/** Whether this is a clone. An installed package has no sources and no build files. */
export const isClone = existsSync(join(packageRoot, 'tsconfig.json'));

/** Whether a file belongs to an installed package, whose next version would replace it. @param path absolute */
export function isPackaged(path: string): boolean {
  return !isClone && path.startsWith(`${packageRoot}/`);
}

/** The folder of the packaged error pages: `error_<status>.html`, `error_default.html`. */
export const packagePagesFolder = join(packageConfigFolder, 'pages');

/** The folder of the dashboard's `page.html` and styles. */
export const packageDashboardFolder = join(packageRoot, 'lib', 'dashboard');

/** The folder of the dashboard's scripts, which the build compiles. */
export const packageScriptsFolder = join(packageRoot, 'dist', 'lib', 'dashboard');

/** A file that starts a process or a thread, as `scripts/bundle.mjs` makes it. @param name its path without `.ts` */
export function packagedProgram(
  name: 'cluster/worker/worker-main' | 'cluster/admin-main' | 'store/file/reading-main',
): string {
  return join(packageRoot, 'dist', 'lib', `${name}.js`);
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json is missing: the installation is incomplete');
  return findRoot(parent);
}
