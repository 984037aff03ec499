import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { ConfigError, Faults } from '../config/faults.ts';
import { readFile, resolveConfig } from '../config/load.ts';
import { thisMachine } from '../config/machine.ts';
import { isObject } from '../config/values.ts';
import type { SiteFeature } from '../sites/feature.ts';
import { FEATURES } from '../sites/features.ts';
import type { RouterOptions, Section } from './options.ts';

/** Where the routes of a router are. */
export type RoutesPlace = 'driver' | 'memory' | 'store';

/** RouterOptions, checked. */
export interface Settings {
  readonly config: Config;
  readonly place: RoutesPlace;
  /** Undefined without features of one's own. */
  readonly features: readonly SiteFeature[] | undefined;
}

/** The name of routes in memory, where others have a driver URL. */
const IN_MEMORY = 'file:memory';

/** @throws ConfigError with every fault, in the words of the command `hipache` */
export function readOptions({ config, http, https, routes, store, features = [] }: RouterOptions): Settings {
  const path = resolve(typeof config === 'string' ? config : 'hipache.json');
  const given = typeof config === 'string' ? readFile(path, new Faults()) : withDefaults(config ?? {});
  const hasDriver = typeof config === 'string' || isGiven(given['driver']);
  const place = store ? 'store' : routes || !hasDriver ? 'memory' : 'driver';
  const places = [routes && 'routes', store && 'store', isGiven(given['driver']) && 'config.driver'].filter(Boolean);
  if (places.length > 1) throw new ConfigError([`${places.join(', ')}: only one of them can have the routes`]);
  const clash = features.flatMap(({ fieldNames }) => fieldNames).find((name) => FEATURES.some((own) => own.has(name)));
  if (clash !== undefined) throw new ConfigError([`features: ${JSON.stringify(clash)} is an option of the router`]);
  const keys = {
    ...given,
    ...(http && { http }),
    ...(https && { https }),
    ...(place !== 'driver' && { driver: IN_MEMORY }),
  };
  // The program decides which user it runs as.
  const loaded = resolveConfig(keys, path, { machine: { ...thisMachine, uid: -1 } }).config;
  return {
    config: alone(loaded, place),
    place,
    features: features.length === 0 ? undefined : [...FEATURES, ...features],
  };
}

function withDefaults(keys: Section): Section {
  const { server } = keys;
  return { http: { port: 0 }, ...keys, server: isObject(server) || !isGiven(server) ? withoutLog(server) : server };
}

function withoutLog(server: unknown): Section {
  return { accessLog: null, ...(isObject(server) ? server : {}) };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The configuration of the only worker, which is replaced by nothing. */
function alone(config: Config, place: RoutesPlace): Config {
  const { server, cache } = config;
  return Object.freeze({
    ...config,
    server: Object.freeze({
      ...server,
      workers: 1,
      workerTimeout: 0,
      memory: { ...server.memory, limitMB: 0, ceilingMB: 0 },
      checks: server.checks && place !== 'store',
    }),
    cache: Object.freeze({ ...cache, snapshot: null }),
    // Without an address: it makes the worker count and report events.
    admin: Object.freeze({ places: [], token: null }),
  });
}
