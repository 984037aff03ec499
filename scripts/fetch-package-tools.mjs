/**
 * Installs Debian's mandoc, man, lintian, buildah, zsh and promtool for the tests of packages and alert rules. Without one those are
 * skipped.
 */
import { existsSync } from 'node:fs';
import { aptInstall, asRoot, hasApt, run } from './apt.mjs';

for (const [name, debianPackage, ...command] of [
  ['mandoc', 'mandoc', 'sh', '-c', 'command -v mandoc'],
  ['man', 'man-db', 'man', '--version'],
  ['lintian', 'lintian', 'lintian', '--version'],
  ['buildah', 'buildah', 'buildah', '--version'],
  ['zsh', 'zsh', 'zsh', '--version'],
  ['promtool', 'prometheus', 'promtool', '--version'],
]) {
  if (run(...command) !== null) continue;
  const root = hasApt() ? asRoot() : null;
  const complaint = root === null ? 'this user may not install it' : aptInstall(root, debianPackage);
  if (run(...command) === null) {
    console.log(`No ${name} (${complaint ?? 'the distribution has none'}): its tests are skipped.`);
  } else if (name === 'promtool') {
    // The package has started a server that is not needed here.
    if (existsSync('/run/systemd/system')) run(...root, 'systemctl', 'disable', '--now', 'prometheus');
    else run(...root, 'service', 'prometheus', 'stop');
  }
}
