/** Installs Debian's nghttp, h2load and curl for the tests of HTTP/2 clients. Without one those are skipped. */
import { aptInstall, asRoot, hasApt, run } from './apt.mjs';

for (const [name, debianPackage] of [
  ['nghttp', 'nghttp2-client'],
  ['h2load', 'nghttp2-client'],
  ['curl', 'curl'],
]) {
  if (run(name, '--version') !== null) continue;
  const root = hasApt() ? asRoot() : null;
  const complaint = root === null ? 'this user may not install it' : aptInstall(root, debianPackage);
  if (run(name, '--version') === null)
    console.log(`No ${name} (${complaint ?? 'the distribution has none'}): its tests are skipped.`);
}
