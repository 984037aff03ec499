import { resolve } from 'node:path';
import { resolveAdmin } from './admin.ts';
import { addUnknownKey, check } from './check.ts';
import type { Config } from './config.ts';
import { parseDocument } from './document.ts';
import { withEnvironment } from './environment.ts';
import { readDriverTls } from './driver-tls.ts';
import { resolveDriver } from './driver.ts';
import { Faults } from './faults.ts';
import { modernize } from './legacy.ts';
import { checkPlaces, placesOf, resolveListeners, securePlacesOf } from './listeners.ts';
import { type Machine, thisMachine } from './machine.ts';
import { readText } from './read-text.ts';
import { resolveRunAs } from './run-as.ts';
import {
  KNOWN_KEYS,
  accountSection,
  adminSection,
  cacheSection,
  driverTlsSection,
  httpSection,
  httpsSection,
  metricsSection,
  optionsSection,
  otelSection,
  serverSection,
} from './schema.ts';
import { resolveServer } from './server.ts';
import { show } from './show.ts';
import { isObject } from './values.ts';
import { readBackendTls } from './tls.ts';
import { resolveCache, resolveOtel } from './sections.ts';

/** A configuration that can be loaded again, on SIGHUP. */
export interface ConfigSource {
  /** The file, absolute. */
  readonly path: string;
  /** @throws ConfigError */
  load(): Config;
}

/** Options of loading a configuration. */
export interface LoadOptions {
  readonly machine?: Machine;
  /** Environment variables with keys, see environment.ts; by default none. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called with one line per old key in the file and per unknown variable, before faults are reported. */
  readonly onDeprecation?: (line: string) => void;
}

/** A loaded configuration, and what may be shown of it. */
export interface Loaded {
  readonly config: Config;
  /** The configuration as `--dry` prints it: in the form of a configuration file, with secrets masked. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * Loads a configuration file: complete, checked and frozen. Reads that file, the certificates, and as root the
 * accounts.
 * @throws ConfigError with every fault found
 */
export function loadConfig(path: string, options: LoadOptions = {}): Config {
  return readConfig(path, options).config;
}

/** The same, with the document for `--dry`. @throws ConfigError with every fault found */
export function readConfig(path: string, options: LoadOptions = {}): Loaded {
  return resolveConfig(readFile(path, new Faults()), path, options);
}

/**
 * The same for the keys of a file that were read already. @param path where relative `file:` paths start from: that of the
 * configuration file
 */
export function resolveConfig(
  file: Readonly<Record<string, unknown>>,
  path: string,
  { machine = thisMachine, env = {}, onDeprecation = () => {} }: LoadOptions = {},
): Loaded {
  const faults = new Faults();
  const keys = withEnvironment(modernize(file, onDeprecation), env, faults, onDeprecation);
  for (const key of Object.keys(keys)) {
    if (!KNOWN_KEYS.get('')?.includes(key)) addUnknownKey('', key, faults);
  }
  const server = check(serverSection, keys['server'], 'server', faults);
  const http = check(httpSection, keys['http'], 'http', faults);
  const https = check(httpsSection, keys['https'], 'https', faults);
  const driver = resolveDriver(keys['driver'], resolve(path), faults);
  const tlsFiles = check(driverTlsSection, keys['driverTls'], 'driverTls', faults);
  const driverTls = tlsFiles && readDriverTls(tlsFiles, driver, faults);
  const cache = check(cacheSection, keys['cache'], 'cache', faults);
  const options = check(optionsSection, keys['options'], 'options', faults);
  const adminSettings = check(adminSection, keys['admin'], 'admin', faults);
  const metrics = check(metricsSection, keys['metrics'], 'metrics', faults);
  const otel = check(otelSection, keys['otel'], 'otel', faults);
  const user = check(accountSection, keys['user'], 'user', faults);
  const group = check(accountSection, keys['group'], 'group', faults);
  const runAs = resolveRunAs(user, group, machine, faults);
  const serverConfig = server && resolveServer(server, machine);
  const backendTls = server && readBackendTls(server, faults);
  const cacheConfig = cache && resolveCache(cache, serverConfig?.lruCache ?? null, machine.stateFolder, faults);
  const places = http ? placesOf(http) : [];
  const securePlaces = https ? securePlacesOf(https) : [];
  if (http && https) checkPlaces([...places, ...securePlaces], faults);
  const admin = resolveAdmin(adminSettings, [...places, ...securePlaces], faults);
  const listeners = resolveListeners(places, securePlaces, faults);
  faults.throwIfAny();
  if (
    !serverConfig ||
    !cacheConfig ||
    !http ||
    !https ||
    !driver ||
    !tlsFiles ||
    !driverTls ||
    !options ||
    !metrics ||
    !otel ||
    !server ||
    !backendTls
  ) {
    throw new Error('a part of the configuration failed without a fault');
  }
  const config = deepFreeze({
    server: serverConfig,
    listeners,
    driver,
    driverTls,
    backendTls,
    cache: cacheConfig,
    options: resolveOptions(options),
    admin,
    metrics: { topN: metrics.topN, backends: metrics.backends },
    otel: resolveOtel(otel),
    runAs,
  });
  const settings = {
    backendTls: server.backendTls,
    http,
    https,
    driverTls: tlsFiles,
    admin: adminSettings,
    otel,
    places,
    securePlaces,
    user: user ?? null,
    group: group ?? null,
  };
  return { config, document: show(config, settings) };
}

/** The options that are given. */
export function resolveOptions(options: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, text] of Object.entries(options)) if (typeof text === 'string') given[name] = text;
  return given;
}

/** The keys of a configuration file. Throws at once if it cannot be parsed, since nothing else can be checked then. */
export function readFile(path: string, faults: Faults): Readonly<Record<string, unknown>> {
  try {
    const value = parseDocument(path, readText(path));
    if (isObject(value)) {
      // Editors find the schema by this key.
      const { $schema: _, ...keys } = value;
      return keys;
    }
    faults.add(path, 'must be an object, { … }');
  } catch (error) {
    faults.add(path, error instanceof Error ? error.message : String(error));
  }
  faults.throwIfAny();
  return {};
}

/** Freezes a value recursively. For plain objects and arrays without cycles. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
