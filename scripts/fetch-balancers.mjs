/** Installs Debian's HAProxy and nginx for the tests of what stands in front of routers. Without one those are skipped. */
import { existsSync } from 'node:fs';
import { aptInstall, asRoot, hasApt, run } from './apt.mjs';

for (const name of ['haproxy', 'nginx']) fetch(name);

function fetch(name) {
  // Debian keeps them where only root's PATH leads.
  const isThere = () => run(name, '-v') !== null || run(`/usr/sbin/${name}`, '-v') !== null;
  if (isThere()) return;
  const root = hasApt() ? asRoot() : null;
  const complaint = root === null ? 'this user may not install it' : aptInstall(root, name);
  if (!isThere()) {
    console.log(`No ${name} (${complaint ?? 'the distribution has none'}): its tests are skipped.`);
    return;
  }
  // Where RUNLEVEL is not heeded, the package has started a server that is not needed here.
  if (existsSync('/run/systemd/system')) run(...root, 'systemctl', 'disable', '--now', name);
  else run(...root, 'service', name, 'stop');
}
