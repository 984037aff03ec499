/** Installs Debian's Chromium for the tests of the dashboard, where there is no browser. Without one they are skipped. */
import { aptInstall, asRoot, hasApt, run } from './apt.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const isThere = () => NAMES.some((name) => run(name, '--version') !== null);

if (!isThere()) {
  const root = hasApt() ? asRoot() : null;
  const complaint = root === null ? 'this user may not install it' : aptInstall(root, 'chromium');
  if (!isThere()) console.log(`No browser (${complaint ?? 'the distribution has none'}): its tests are skipped.`);
}
