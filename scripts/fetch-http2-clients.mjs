/** Installs Debian's nghttp, h2load, curl and python3-h2 for the tests of HTTP/2 clients. Without one those are skipped. */
import { aptInstall, asRoot, hasApt, run } from './apt.mjs';

for (const [name, debianPackage, ...command] of [
  ['nghttp', 'nghttp2-client', 'nghttp', '--version'],
  ['h2load', 'nghttp2-client', 'h2load', '--version'],
  ['curl', 'curl', 'curl', '--version'],
  ['python3-h2', 'python3-h2', '/usr/bin/python3', '-c', 'import h2'],
]) {
  if (run(...command) !== null) continue;
  const root = hasApt() ? asRoot() : null;
  const complaint = root === null ? 'this user may not install it' : aptInstall(root, debianPackage);
  if (run(...command) === null)
    console.log(`No ${name} (${complaint ?? 'the distribution has none'}): its tests are skipped.`);
}
