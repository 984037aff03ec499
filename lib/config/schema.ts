import * as v from 'valibot';
import { FIELD_NAMES } from '../sites/site.ts';
import { alternatives } from './key-type.ts';
import { timeoutKeys, timeoutSection } from './timeouts.ts';
import {
  absolute,
  accessFormat,
  accessLog,
  account,
  address,
  addressOrSocket,
  collectorUrl,
  driverUrl,
  fields,
  file,
  flag,
  lenient,
  longSecret,
  listOf,
  oneOf,
  option,
  or,
  port,
  seconds,
  secret,
  section,
  share,
  text,
  trusted,
  wholeNumber,
  zone,
} from './values.ts';

/**
 * Every key of a configuration file, with its unit and default. Times are in seconds and sizes in bytes. `null` means
 * "not given", except for `server.accessLog`, where it means "none".
 */

const LOCAL = ['127.0.0.1'];
const PLACE = 'must be an IP address or an object, { "address": …, "port": … }';

const lruCache = { size: wholeNumber(0), ttl: seconds(0) };

// The defaults of the first two depend on the machine's memory: see core/limits/memory-judgement.ts.
const memory = {
  limitMB: v.nullish(wholeNumber(0)),
  ceilingMB: v.nullish(wholeNumber(0)),
  interval: v.nullish(seconds(1), 60),
};

const drain = {
  delay: v.nullish(seconds(0), 0),
  requests: v.nullish(seconds(0), 30),
  tunnels: v.nullish(seconds(0), 3600),
};

const limits = {
  headerBytes: v.nullish(wholeNumber(1024), 16_384),
  bodyBytes: v.nullish(wholeNumber(0), 0),
  connections: v.nullish(wholeNumber(0), 0),
  // The default is a quarter of `connections`: see core/limits/connection-limits.ts.
  connectionsPerClient: v.nullish(wholeNumber(0), null),
  paused: v.nullish(wholeNumber(0), 1000),
  queued: v.nullish(wholeNumber(0), 1000),
  bodyMinRate: v.nullish(wholeNumber(0), 240),
  readMinRate: v.nullish(wholeNumber(0), 240),
  bufferMemoryBytes: v.nullish(wholeNumber(0), 16_777_216),
  bufferFileBytes: v.nullish(wholeNumber(0), 1_073_741_824),
};

const cache = {
  mode: v.nullish(oneOf(['request', 'push']), 'request'),
  max: v.nullish(wholeNumber(1), 100_000),
  maxAge: v.nullish(seconds(0.1), 300),
  maxStale: v.nullish(seconds(0), 3600),
  snapshot: v.nullish(text, null),
  preload: v.nullish(flag, true),
};

const otel = {
  endpoint: v.nullish(collectorUrl, null),
  sample: v.nullish(share, 0.01),
  trustIncoming: v.nullish(flag, true),
  service: v.nullish(text, null),
  headers: v.nullish(fields, {}),
  timeout: v.nullish(seconds(0.1), 10),
};

const backendTls = { verify: v.nullish(flag, true), ca: v.nullish(listOf(file), []) };

const server = {
  // The default is one per CPU.
  workers: v.nullish(lenient(wholeNumber(1))),
  accessLog: v.optional(v.nullable(accessLog), '/var/log/hipache/access.log'),
  accessLogFormat: v.nullish(accessFormat, 'hipache'),
  maxSockets: v.nullish(wholeNumber(1), 100),
  deadBackendTTL: v.nullish(wholeNumber(1), 30),
  tcpTimeout: v.nullish(seconds(0)),
  retryOnError: v.nullish(wholeNumber(0), 3),
  retryBudget: v.nullish(share, 0.2),
  deadBackendOn500: v.nullish(flag, true),
  httpKeepAlive: v.nullish(flag, true),
  fastLane: v.nullish(flag, true),
  sharedReads: v.nullish(flag, true),
  staticDir: v.nullish(text, null),
  staticRoots: v.nullish(listOf(absolute), []),
  bufferFolder: v.nullish(absolute, null),
  log: v.nullish(oneOf(['auto', 'json', 'text']), 'auto'),
  debug: v.nullish(flag, false),
  lruCache: v.nullish(or(false, null, v.nullable(section(lruCache))), null),
  storeTimeout: v.nullish(seconds(0.001), 1),
  memory: v.nullish(section(memory), {}),
  drain: v.nullish(section(drain), {}),
  workerTimeout: v.nullish(seconds(0), 10),
  pidFile: v.nullish(text, null),
  timeouts: v.nullish(timeoutSection, {}),
  limits: v.nullish(section(limits), {}),
  trustedProxies: v.nullish(listOf(trusted), ['private']),
  forwarded: v.nullish(oneOf(['standard', 'hipache']), 'standard'),
  requestId: v.nullish(oneOf(['backend', 'both', 'off']), 'backend'),
  backendTls: v.nullish(section(backendTls), {}),
  backendPath: v.nullish(flag, false),
  legacyScheme: v.nullish(flag, false),
  stickySecret: v.nullish(longSecret, null),
  trial: v.nullish(flag, true),
  checks: v.nullish(flag, true),
  overloadLag: v.nullish(seconds(0), 0.1),
  zone: v.nullish(zone, null),
};

const proxyProtocol = oneOf(['off', 'optional', 'required']);
const minVersion = oneOf(['TLSv1.2', 'TLSv1.3']);

/** A listener. Its missing keys are taken from its section. */
const place = {
  address,
  port: v.nullish(port),
  proxyProtocol: v.nullish(proxyProtocol),
  http2: v.nullish(flag),
};

const certificate = {
  key: v.nullish(text, null),
  cert: v.nullish(text, null),
  ca: v.nullish(listOf(file), []),
  passphrase: v.nullish(text, null),
  ciphers: v.nullish(text, null),
};

const clientCert = oneOf(['optional', 'required']);
const clients = { clientCa: v.nullish(listOf(file), []) };

const securePlace = {
  ...place,
  ...certificate,
  minVersion: v.nullish(minVersion),
  ...clients,
  clientCert: v.nullish(clientCert),
  clientCertPem: v.nullish(flag),
};

const driverTls = {
  ca: v.nullish(listOf(file), []),
  cert: v.nullish(text, null),
  key: v.nullish(text, null),
  passphrase: v.nullish(text, null),
};

const http = {
  port: v.nullish(port, 80),
  // In Hipache "" means "not given" here. [] means no plain listener.
  bind: v.nullish(or('', LOCAL, listOf(placeOf(place), asPlace)), LOCAL),
  proxyProtocol: v.nullish(proxyProtocol, 'off'),
  http2: v.nullish(flag, false),
};

const https = {
  port: v.nullish(port, 443),
  bind: v.nullish(listOf(placeOf(securePlace), asPlace), []),
  proxyProtocol: v.nullish(proxyProtocol, 'off'),
  http2: v.nullish(flag, true),
  ...certificate,
  minVersion: v.nullish(minVersion, 'TLSv1.2'),
  ...clients,
  clientCert: v.nullish(clientCert, 'required'),
  clientCertPem: v.nullish(flag, false),
};

const admin = {
  bind: v.nullish(listOf(addressOrSocket), LOCAL),
  port: v.nullish(port, 8081),
  token: v.nullish(secret, null),
};

/** The default options of frontends, named as in `options:<key>`. */
const options = Object.fromEntries(FIELD_NAMES.map((name) => [name, v.nullish(option(name))]));

const metrics = { topN: v.nullish(wholeNumber(0), 500), backends: v.nullish(wholeNumber(0), 0) };

/** The sections of a file. Each is parsed separately, so that a fault in one hides none in another. */
export const serverSection = v.nullish(section(server), {});
export const httpSection = v.nullish(section(http), {});
export const httpsSection = v.nullish(section(https), {});
export const driverTlsSection = v.nullish(section(driverTls), {});
export const cacheSection = v.nullish(section(cache), {});
/** False, like null, means none; a socket or an address alone is its `bind`. */
export const adminSection = v.nullish(or(false, null, v.nullable(asSection(section(admin)))), null);
export const metricsSection = v.nullish(section(metrics), {});
export const optionsSection = v.nullish(section(options), {});
export const otelSection = v.nullish(section(otel), {});
export const oneDriver = v.nullish(driverUrl, 'redis:');
export const severalDrivers = v.array(driverUrl);
export const accountSection = v.nullish(account);

export type ServerSettings = v.InferOutput<typeof serverSection>;
export type CacheSettings = v.InferOutput<typeof cacheSection>;
export type AdminSettings = v.InferOutput<typeof adminSection>;
export type OtelSettings = v.InferOutput<typeof otelSection>;
export type HttpSettings = v.InferOutput<typeof httpSection>;
export type HttpsSettings = v.InferOutput<typeof httpsSection>;
export type DriverTlsSettings = v.InferOutput<typeof driverTlsSection>;

/** All keys of a file. */
export const FILE_KEYS = {
  server: serverSection,
  http: httpSection,
  https: httpsSection,
  driver: v.union([oneDriver, severalDrivers]),
  driverTls: driverTlsSection,
  cache: cacheSection,
  options: optionsSection,
  admin: adminSection,
  metrics: metricsSection,
  otel: otelSection,
  user: accountSection,
  group: accountSection,
} as const;

/** The known keys of each section, by its path without list indexes; the top level is `""`. */
export const KNOWN_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['', Object.keys(FILE_KEYS)],
  ['server', Object.keys(server)],
  ['server.lruCache', Object.keys(lruCache)],
  ['server.memory', Object.keys(memory)],
  ['server.drain', Object.keys(drain)],
  ['server.timeouts', Object.keys(timeoutKeys)],
  ['server.limits', Object.keys(limits)],
  ['server.backendTls', Object.keys(backendTls)],
  ['cache', Object.keys(cache)],
  ['options', FIELD_NAMES],
  ['admin', Object.keys(admin)],
  ['metrics', Object.keys(metrics)],
  ['otel', Object.keys(otel)],
  ['http', Object.keys(http)],
  ['http.bind', Object.keys(place)],
  ['https', Object.keys(https)],
  ['https.bind', Object.keys(securePlace)],
  ['driverTls', Object.keys(driverTls)],
]);

function asSection<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.pipe(
    v.unknown(),
    alternatives((type) => [type, { type: 'string' }]),
    v.transform((value) => (typeof value === 'string' ? { bind: value } : value)),
    schema,
  );
}

/** An object, of which `asPlace` makes one of an address. */
function placeOf<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(
    v.unknown(),
    alternatives((type) => [type, { type: 'string' }]),
    section(entries, PLACE),
  );
}

function asPlace(item: unknown): unknown {
  return typeof item === 'string' ? { address: item } : item;
}
