/** `hipache top --fleet`: all routers of the store, updated every second. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AdminAddress, askAdmin } from './admin-client.ts';
import { Part } from './answer-part.ts';
import { CommandFailure } from './command.ts';
import { type Console, paint, Table } from './console.ts';
import { openScreen } from './screen.ts';
import { counted } from './show-fault.ts';

const EVERY_MS = 1000;
const PATH = '/api/v1/fleet';
const HEADING = [
  'HOST',
  'MASTER',
  'VERSION',
  'WORKERS',
  'REQ/S',
  'CONN',
  'OPEN',
  'QUEUED',
  'PERMITS',
  'LAG',
  'CLOCK',
  'SEEN',
];
/** A clock that is further from that of Redis is marked, seconds: marks and shares assume that clocks agree. */
const MOST_SKEW = 1;
const CTRL_C = '\u0003';

/** How `top --fleet` prints. */
export interface FleetPrinting {
  readonly isJson: boolean;
  readonly isOnce: boolean;
}

/** Shows the fleet until the user ends it. @returns the exit code @throws CommandFailure where it cannot be read at once */
export async function topFleet(address: AdminAddress, console: Console, how: FleetPrinting): Promise<number> {
  if (console.isTerminal && !how.isJson && !how.isOnce) return await watchFleet(address, console);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  do {
    const fleet = await askAdmin(address, PATH);
    await console.write(how.isJson ? `${JSON.stringify(fleet)}\n` : `${fleetLines(console, fleet).join('\n')}\n`);
    if (how.isOnce) break;
    await delay(EVERY_MS, undefined, { signal: ending.signal }).catch(() => {});
  } while (!ending.signal.aborted);
  return 0;
}

async function watchFleet(address: AdminAddress, console: Console): Promise<number> {
  const screen = openScreen((typed) => {
    if (typed.includes('q') || typed.includes(CTRL_C)) screen.end();
  });
  try {
    while (!screen.ended.aborted) {
      screen.show(await linesNow(address, console));
      await delay(EVERY_MS, undefined, { signal: screen.ended }).catch(() => {});
    }
  } finally {
    screen.close();
  }
  return 0;
}

/** The router may be restarting: the reason is shown instead, and the next second tries again. */
async function linesNow(address: AdminAddress, console: Console): Promise<readonly string[]> {
  try {
    return [...fleetLines(console, await askAdmin(address, PATH)), '', 'q quit'];
  } catch (error) {
    if (error instanceof CommandFailure) return [error.message];
    throw error;
  }
}

/** The table of a response to `GET /api/v1/fleet`. */
function fleetLines(console: Console, answer: unknown): readonly string[] {
  const routers = new Part(answer).parts('routers');
  const workers = routers.reduce((sum, each) => sum + (each.number('workers') ?? 0), 0);
  const [head = '', ...rows] = new Table().lines([HEADING, ...routers.map(rowOf)]);
  return [
    `${counted(routers.length, 'router')}, ${counted(workers, 'worker')}`,
    '',
    paint(console, 'bold', head),
    ...rows.map((row, i) => (isFine(routers[i]) ? row : paint(console, 'red', row))),
  ];
}

function rowOf(router: Part): readonly string[] {
  const [workers, draining, silent] = ['workers', 'draining', 'silent'].map((name) => router.number(name) ?? 0);
  const states = [silent ? `${silent} silent` : '', draining ? `${draining} draining` : ''].filter(Boolean);
  return [
    router.text('host'),
    String(router.number('pid') ?? '-'),
    router.text('version'),
    [String(workers), ...states].join(', '),
    (router.number('requestsPerSecond') ?? 0).toFixed(1),
    String(router.number('connections') ?? '-'),
    String(router.number('exchanges') ?? '-'),
    String(router.number('queued') ?? '-'),
    `${router.number('permitsInUse') ?? '-'}/${router.number('permits') ?? '-'}`,
    msOf(router.number('loopLag')),
    msOf(router.number('clockSkew')),
    `${(router.number('heartbeatAgo') ?? 0).toFixed(1)} s`,
  ];
}

function isFine(router: Part | undefined): boolean {
  return router?.number('silent') === 0 && Math.abs(router.number('clockSkew') ?? 0) <= MOST_SKEW;
}

function msOf(seconds: number | null): string {
  return seconds === null ? '-' : `${Math.round(seconds * 1000)} ms`;
}
