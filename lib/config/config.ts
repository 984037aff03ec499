import type { BackendTls } from '../core/routing/backend-tls.ts';
import type { RedisTls } from '../core/routing/redis-address.ts';

/** The configuration as the rest of the program sees it: complete, checked, frozen. Types only. */

/** All durations are in seconds and all sizes in bytes, unless the name says otherwise. */
export interface Config {
  readonly server: ServerConfig;
  readonly listeners: readonly ListenerConfig[];
  readonly driver: DriverConfig;
  /** What `rediss` stands for in a driver URL: file contents (PEM), like TlsConfig. */
  readonly driverTls: RedisTls;
  /** `server.backendTls`, its files read. */
  readonly backendTls: BackendTls;
  readonly cache: CacheConfig;
  /** What frontends have that say nothing else: fields as lib/sites reads them. */
  readonly options: Readonly<Record<string, string>>;
  /** Null where there is no admin interface. */
  readonly admin: AdminConfig | null;
  /** `topN`: how many frontends have figures of their own. */
  readonly metrics: { readonly topN: number };
  /** Null where the router takes no part in traces. */
  readonly otel: OtelConfig | null;
  /** Whom workers become when the program starts as root; null when it does not, or may stay root. */
  readonly runAs: RunAs | null;
}

export interface RunAs {
  /** The user's name, or its id where it has none. */
  readonly user: string | number;
  readonly group: string | number;
  readonly uid: number;
  readonly gid: number;
}

export interface ServerConfig {
  readonly workers: number;
  /** A file, `-` for standard output, what core/syslog-socket reads, or null for none. */
  readonly accessLog: string | null;
  /** As core/access-format reads it. */
  readonly accessLogFormat: string;
  /** Connections to one backend, per worker. */
  readonly maxSockets: number;
  readonly deadBackendTTL: number;
  /** Further attempts after the first. */
  readonly retryOnError: number;
  /** Retries in flight as a share of the active requests, per worker; 3 are always granted. */
  readonly retryBudget: number;
  /** Count 500 as deadly too, while an active health checker lives. */
  readonly deadBackendOn500: boolean;
  /** Keep connections to backends. */
  readonly httpKeepAlive: boolean;
  /** Relay plain requests byte by byte, without Node's HTTP server and client. */
  readonly fastLane: boolean;
  /** In the fast lane, read all accepted connections into one buffer, where this Node proves to be able to. */
  readonly sharedReads: boolean;
  /** Folder of error pages; what it lacks comes from the package, unless it has a default page. Null: all packaged. */
  readonly staticDir: string | null;
  /** Folders, absolute, that entries `file:` may serve, and what is below them. */
  readonly staticRoots: readonly string[];
  /** How the operator's log is written; `auto`: text on a terminal, JSON elsewhere. */
  readonly log: 'auto' | 'json' | 'text';
  readonly debug: boolean;
  readonly lruCache: { readonly size: number; readonly ttl: number } | null;
  /** Within it the store answers a lookup, or the client gets 503. */
  readonly storeTimeout: number;
  /** MiB, 0 for none: see core/memory-judgement.ts. */
  readonly memory: { readonly limitMB: number; readonly ceilingMB: number; readonly interval: number };
  /** How long a worker that stops waits for requests in flight, and for tunnels. */
  /** And, before a program that ends begins with that, how long it tells load balancers to go elsewhere. */
  readonly drain: { readonly delay: number; readonly requests: number; readonly tunnels: number };
  /** A worker whose event loop is blocked for longer is replaced; 0 never is. */
  readonly workerTimeout: number;
  /** The file that holds the master's process id, absolute; null for none. */
  readonly pidFile: string | null;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  /** Addresses and CIDR ranges whose X-Forwarded-* fields are believed; `private` stands for the private ranges. */
  readonly trustedProxies: readonly string[];
  /** `standard` replaces forged fields; `hipache` sets them only where absent and maps IPv4 into IPv6. */
  readonly forwarded: 'standard' | 'hipache';
  /** Who gets X-Request-Id. */
  readonly requestId: 'backend' | 'both' | 'off';
  /** The path of a backend's URL is put before those of its requests. */
  readonly backendPath: boolean;
  /** Backends with https are spoken to as Hipache did: in the clear. */
  readonly legacyScheme: boolean;
}

/** One for each phase of an exchange. 0 is no limit. */
export interface Timeouts {
  /** From the first byte of a request to the end of its head. */
  readonly header: number;
  /** Silence within a request body. */
  readonly body: number;
  readonly connect: number;
  /** From the request's end to the first byte of the backend's answer. */
  readonly firstByte: number;
  /** Silence within an answer's body, of either side. */
  readonly response: number;
  /** Between two requests on a client's connection. */
  readonly idle: number;
  /** Silence, both ways, on an upgraded connection. */
  readonly tunnel: number;
}

export interface Limits {
  readonly headerBytes: number;
  /** Clients' connections served at a time, per worker; past it idle ones are closed, and others wait. 0 is no limit. */
  readonly connections: number;
  /** The same of one client address, or IPv6 network of 64 bits, that is no trusted proxy. Null is a quarter; 0 is no limit. */
  readonly connectionsPerClient: number | null;
  /** Requests held for frontends that are paused, per worker. */
  readonly paused: number;
  /** 0 is no limit. */
  readonly bodyBytes: number;
  /** Bytes per second that a request body must keep up after its first seconds. 0 is no limit. */
  readonly bodyMinRate: number;
  /** Bytes per second that a client must take of a response while it holds that up. 0 is no limit. */
  readonly readMinRate: number;
}

export interface ListenerConfig {
  readonly address: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly proxyProtocol: 'off' | 'optional' | 'required';
  /** Whether HTTP/2 is spoken with clients that want it: by ALPN with TLS, by what they begin with without. */
  readonly http2: boolean;
  /** Null for plain HTTP. */
  readonly tls: TlsConfig | null;
}

export interface AdminConfig {
  readonly places: readonly AdminPlace[];
  /** What requests have to show; null only where none but this machine can ask. */
  readonly token: string | null;
}

/** Where the admin interface listens. Port 0 is any free one; a socket's path is absolute. */
export type AdminPlace = { readonly address: string; readonly port: number } | { readonly socket: string };

/** File contents (PEM), read when the configuration was loaded: workers need no right to read them. */
export interface TlsConfig {
  /** With `cert`: what is shown to clients whose name the store knows no certificate for. Both null: they are refused. */
  readonly key: string | null;
  readonly cert: string | null;
  readonly ca: readonly string[];
  readonly passphrase: string | null;
  /** OpenSSL's list; TLS 1.3 has its own besides. */
  readonly ciphers: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Authorities that clients' certificates are checked with; none: they are not asked for one. */
  readonly clientCa: readonly string[];
  /** Whether a client may come without. */
  readonly clientCert: 'optional' | 'required';
  /** Whether backends are told the whole certificate. */
  readonly clientCertPem: boolean;
}

/** What is remembered of a Redis. Of a routes file all is. */
export interface CacheConfig {
  /** `request` asks Redis on each request; `push` only for what Redis said has changed. */
  readonly mode: 'request' | 'push';
  /** Hosts remembered at most, per worker. */
  readonly max: number;
  /** In mode `push`: how long a route is not asked for again, whatever Redis did not say. */
  readonly maxAge: number;
  /** How long a route that was known serves while Redis gives no answer; 0 is not at all. */
  readonly maxStale: number;
  /** In mode `push`: whether all routes are read in the background, up to `max`. */
  readonly preload: boolean;
  /** The file that keeps known routes for the next start, absolute; null for none. */
  readonly snapshot: string | null;
}

/** The router's part in traces, and where it tells of it. */
export interface OtelConfig {
  /** The collector's URL for spans. */
  readonly endpoint: string;
  /** The share of exchanges to sample where no trusted caller decides, 0 to 1. */
  readonly sample: number;
  /** Whether the sampled flag of trusted proxies decides. */
  readonly trustIncoming: boolean;
  /** What the router is called; null for what the environment says. */
  readonly service: string | null;
  /** Fields of each request to the collector. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one of them to be answered. */
  readonly timeoutMs: number;
}

/** Driver URLs as core/driver-url reads them; a `file:` path is absolute here. */
export interface DriverConfig {
  readonly read: string;
  readonly write: string;
}
