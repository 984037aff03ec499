/** Which test files run, with which settings, and in which order. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The setting of `server.fastLane` that is not the default. */
const OTHER_SETTING = 'off';

/** What a file uses of test/support/router.ts, or of a scene.ts, that reads HIPACHE_FAST_LANE. */
const STARTS_ROUTERS = /\b(startRouter|leaseRouter|launchRouter|writeConfig|scene\.ts)\b/;

/** The files that take longest, longest first: a long file that begins last would keep the whole run waiting. */
const LONGEST = [
  'packaging/deb',
  'packaging/image',
  'wire/slot-holders',
  'journeys/route-command',
  'journeys/last-good-certificates',
  'journeys/redis-handed-on',
  'journeys/admin',
  'journeys/checks-plain',
  'journeys/http2-silent-connection',
  'wire/limits',
  'journeys/zero-drops',
  'journeys/memory-allowances',
  'journeys/http2',
  'journeys/checks',
  'journeys/trials',
  'journeys/trials-file',
  'wire/crowding',
  'journeys/last-backend',
  'wire/streaming',
  'journeys/hipache-suites',
  'journeys/killed-while-starting',
  'journeys/redis-sentinel',
  'journeys/redis-cluster',
  'journeys/certificates',
  'journeys/memory-guard',
  'journeys/certificate-kinds',
  'wire/stale',
  'journeys/buffer-request',
  'journeys/buffer-response',
  'journeys/last-changes',
  'journeys/files',
  'journeys/last-backend-stores',
  'dashboard/dashboard',
  'journeys/redis-stale',
  'journeys/redis-emptied',
  'journeys/redis-faults',
  'journeys/stop',
  'journeys/admin-frontends',
  'journeys/reload',
  'journeys/tracing-trouble',
  'journeys/planb-monitor',
  'store/redis-push',
  'config/command-line',
  'journeys/chaos',
  'journeys/http2-backends',
  'wire/h2-answers',
];

/** `npm run test:quick`: rules, grammars, layers, and one journey of each kind, in one setting of the fast lane. */
const QUICK = [
  'layers.',
  'readme.',
  'core/',
  'clock/',
  'config/',
  'files/',
  'http1/',
  'http2/',
  'fastlane/',
  'sites/',
  'proxy/',
  'library/router.',
  'store/file.',
  'store/redis.',
  'store/redis-push.',
  'wire/fidelity.',
  'journeys/hosts.',
  'journeys/websockets.',
  'journeys/tls.',
  'journeys/http2.',
  'journeys/retries.',
  'journeys/dead.',
  'journeys/redis-routes.',
  'journeys/reload.',
];

/**
 * The jobs of a run: one file of tests in one setting each. `together` may run side by side, longest first; `waiting`
 * beside them, since they use little of a core: a comment `// @waits: for what` at their head says so. `calm` are files
 * that count by the clock and use little of a core: `// @calm: why`. They run after those, beside each other. `alone` are files
 * that measure the machine, which any other would disturb: `// @alone: why`. Files that start routers run in both settings
 * of the fast lane, except those that promise nothing of a lane: `// @one-lane: why`. With `allLanes` these do, too.
 */
export function planTests({ sources, built, wanted, isQuick, allLanes = false, fastLane }) {
  const names = readdirSync(built, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => name.replace(/\.js$/, ''))
    // The compiler leaves what it built of files that are gone.
    .filter((name) => existsSync(join(sources, `${name}.ts`)))
    .filter((name) => !isQuick || QUICK.some((part) => name.startsWith(part)))
    .filter((name) => wanted.length === 0 || wanted.some((part) => `${name}.js`.includes(part)));
  const all = names.map((name) => readFile(sources, built, name)).toSorted(byLength);
  const again =
    isQuick || fastLane !== undefined
      ? []
      : all.filter(({ isForBoth, isForOne }) => isForBoth && (allLanes || !isForOne));
  const jobs = [
    ...all.map((file) => jobOf(file, fastLane)),
    ...again.map((file) => jobOf(file, OTHER_SETTING)),
  ].toSorted(byLength);
  return {
    together: jobs.filter(({ isAlone, isCalm, isWaiting }) => !isAlone && !isCalm && !isWaiting),
    waiting: jobs.filter(({ isWaiting }) => isWaiting),
    calm: jobs.filter(({ isCalm }) => isCalm),
    alone: jobs.filter(({ isAlone }) => isAlone),
  };
}

function readFile(sources, built, name) {
  const source = readFileSync(join(sources, `${name}.ts`), 'utf8');
  return {
    name: name.replace(/\.test$/, ''),
    path: join(built, `${name}.js`),
    bytes: statSync(join(sources, `${name}.ts`)).size,
    isAlone: /^\/\/ @alone: /m.test(source),
    isCalm: /^\/\/ @calm: /m.test(source),
    isWaiting: /^\/\/ @waits: /m.test(source),
    // It starts routers and leaves that setting to us.
    isForBoth: STARTS_ROUTERS.test(source) && !source.includes('fastLane'),
    isForOne: /^\/\/ @one-lane: /m.test(source),
  };
}

function jobOf({ name, path, bytes, isAlone, isCalm, isWaiting, isForBoth }, fastLane) {
  const title = isForBoth && fastLane !== undefined ? `${name} (fast lane ${fastLane})` : name;
  const env = fastLane === undefined ? {} : { HIPACHE_FAST_LANE: fastLane };
  return { name, title, path, bytes, isAlone, isCalm, isWaiting, env };
}

/** For what is not listed, a file's size tells about how long it takes. */
function byLength(a, b) {
  return rank(a) - rank(b) || b.bytes - a.bytes || a.name.localeCompare(b.name);
}

function rank({ name }) {
  const index = LONGEST.indexOf(name);
  return index === -1 ? LONGEST.length : index;
}
