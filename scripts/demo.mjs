/**
 * `npm run demo`: the router, two sample backends behind it, one request through it, and what to type next.
 * Everything it writes is in one temporary folder, which goes when it ends. PORT=9000 names another port.
 */
import { setUp } from './demo/setup.mjs';

const fault = setUp();
if (fault === null) {
  // Only now: what it imports may not have been installed.
  const { runDemo } = await import('./demo/run.mjs');
  process.exitCode = await runDemo(Number(process.env.PORT || 8080));
} else {
  console.error(fault);
  process.exitCode = 1;
}
