/** The router itself, in its many settings. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contents } from '../redis.ts';
import { ECHO_HOST, GRPC_HOST, hostOf, prefixesOf } from '../wrk.ts';
import { PLAIN, type Peer, type Place, type Recipe, type Setup } from './peer.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));
const DRY_LIMIT_MS = 20_000;
/** What all clients here like best: the others let them choose, and a shorter key would be an advantage. */
const CIPHERS = 'TLS_AES_256_GCM_SHA384';

/** Where routes come from: Redis for each request, Redis' own news, or a file. */
export type Routes = 'request' | 'push' | 'file';

export interface Settings {
  readonly routes: Routes;
  /** Left out: as the program decides. */
  readonly fastLane?: boolean;
  /** Whether it counts for the admin interface. */
  readonly metrics?: boolean;
  /** How many prefixes each frontend has. */
  readonly prefixes?: number;
  /** The option `balance` of all frontends, which then have four backends. */
  readonly balance?: string;
  /** With the sites of tenant A, and TLS besides; not with a routes file. */
  readonly hasTenant?: boolean;
}

const ROUTES: Readonly<Record<Routes, string>> = {
  request: 'Redis per request',
  push: 'push cache',
  file: 'routes in a file',
};

/** @param label what follows `hipache, ` in the tables, when the settings do not say enough */
export function hipache(settings: Settings, setup: Partial<Setup> = {}, label: string = ROUTES[settings.routes]): Peer {
  return {
    name: 'hipache',
    label: `hipache, ${label}`,
    tools: [],
    setup: { ...PLAIN, ...setup },
    recipe: (place) => recipe(place, settings),
    refusal,
  };
}

async function recipe(place: Place, settings: Settings): Promise<Recipe> {
  const { routes, fastLane, metrics = false, prefixes = 0, balance, hasTenant = false } = settings;
  const { scene, setup, port, tlsPort, folder } = place;
  const contents: Contents = {
    frontends: setup.frontends,
    prefixes,
    ...(balance === undefined ? {} : { balance }),
    ...(hasTenant ? { tenant: scene.certificate } : {}),
  };
  const { cert, key } = scene.certificate;
  const listener = { port, bind: ['127.0.0.1'] };
  const configuration = {
    server: {
      workers: setup.workers,
      accessLog: setup.accessLog ? join(folder, 'access.log') : 'none',
      // As many as the peers may keep; and nobody is replaced in the middle of a measurement.
      maxSockets: 512,
      memory: { limitMB: 0 },
      // All clients have one address.
      limits: { connectionsPerClient: 0 },
      timeouts: { idle: 600 },
      drain: { requests: 1, tunnels: 1 },
      ...(fastLane === undefined ? {} : { fastLane }),
    },
    ...(setup.tls
      ? { http: { bind: [] }, https: { ...listener, cert, key, ciphers: CIPHERS } }
      : { http: { ...listener, http2: setup.http2 } }),
    // Without a certificate of its own, so that names which are not in Redis are refused.
    ...(hasTenant ? { https: { port: tlsPort, bind: ['127.0.0.1'], ciphers: CIPHERS } } : {}),
    ...(routes === 'push' ? { cache: { mode: 'push' } } : {}),
    ...(metrics ? { admin: { port: 0 } } : {}),
    driver: routes === 'file' ? 'file:routes.json' : await scene.redis.driver(contents, scene.backends),
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
  };
  const path = join(folder, 'hipache.json');
  const table = routes === 'file' ? { 'routes.json': JSON.stringify(routesOf(place, contents)) } : {};
  return {
    files: { ...table, 'hipache.json': JSON.stringify(configuration) },
    command: [process.execPath, COMMAND, '--config', path],
  };
}

/** The same as Redis has, as a routes file. */
function routesOf(
  { scene: { backends } }: Place,
  { frontends, prefixes, balance }: Contents,
): Readonly<Record<string, readonly string[] | Readonly<Record<string, string>>>> {
  const list = balance === undefined ? [backends.plain] : backends.four;
  const options = balance === undefined ? {} : { 'options:*': { balance } };
  const paths = ['', ...prefixesOf(prefixes)];
  const sites = Array.from({ length: frontends }, (_, n) =>
    paths.map((path) => [hostOf(n) + path, [`site${n}`, ...list]] as const),
  ).flat();
  return {
    ...Object.fromEntries(sites),
    ...options,
    [ECHO_HOST]: ['echo', backends.echo],
    [GRPC_HOST]: ['grpc', backends.grpc],
  };
}

/** Settings that this version does not know yet are no reason to fail: `--dry` says which they are. */
async function refusal({ command }: Recipe, { scene }: Place): Promise<string | null> {
  try {
    await scene.processes.run([...command, '--dry'], scene.load, DRY_LIMIT_MS);
    return null;
  } catch (error) {
    const said = /(?:server|cache|admin)[\w.]*: [^;\n]*/.exec(String(error))?.[0];
    if (said === undefined) throw error;
    return said;
  }
}
