/** What must be there before the demo can start. */
import { existsSync } from 'node:fs';
import { build, canBuild, isBuilt } from '../build.mjs';

/** Builds what is missing. Returns one sentence on what cannot be helped, or null when all is there. */
export function setUp() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return `The demo needs Node 20.19 or newer; this is ${process.versions.node}.`;
  }
  if (!existsSync(new URL('../../node_modules/ws', import.meta.url))) return 'Run "npm ci" first, then "npm run demo".';
  if (isBuilt()) return null;
  if (!canBuild()) return 'The router is not built, and the compiler is not installed: run "npm ci" first.';
  console.log('Building the router …');
  return build() === 0 ? null : 'The router could not be built: see above.';
}
