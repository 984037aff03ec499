import type { BackendTls } from '../core/routing/backend-tls.ts';
import type { RedisTls } from '../core/routing/redis-address.ts';
import type { Timeouts } from './timeouts.ts';

/** The configuration for the rest of the program: complete, checked, frozen. Types only. */

/** All durations are in seconds and all sizes in bytes, unless the name says otherwise. */
export interface Config {
  readonly server: ServerConfig;
  readonly listeners: readonly ListenerConfig[];
  readonly driver: DriverConfig;
  /** What `rediss` uses: file contents (PEM), like TlsConfig. */
  readonly driverTls: RedisTls;
  /** `server.backendTls` with the contents of its files. */
  readonly backendTls: BackendTls;
  readonly cache: CacheConfig;
  /** The default options of frontends: fields as lib/sites parses them. */
  readonly options: Readonly<Record<string, string>>;
  /** Null without an admin interface. */
  readonly admin: AdminConfig | null;
  /** How many frontends, and how many backends, have metrics of their own. */
  readonly metrics: { readonly topN: number; readonly backends: number };
  /** Null without tracing. */
  readonly otel: OtelConfig | null;
  /** The user of workers when the program starts as root; null when it does not, or may stay root. */
  readonly runAs: RunAs | null;
}

/** The user and group of workers. */
export interface RunAs {
  /** The user's name, or its id if it has none. */
  readonly user: string | number;
  readonly group: string | number;
  readonly uid: number;
  readonly gid: number;
}

/** The section `server`. */
export interface ServerConfig {
  readonly workers: number;
  /** A file, `-` for standard output, syslog as core/record/syslog-socket.ts parses it, or null for none. */
  readonly accessLog: string | null;
  /** Parsed by core/record/access-format.ts. */
  readonly accessLogFormat: string;
  /** The maximum number of connections to one backend, per worker. */
  readonly maxSockets: number;
  readonly deadBackendTTL: number;
  /** Retries after the first attempt. */
  readonly retryOnError: number;
  /** Retries in flight as a share of the open requests, per worker; 3 are always allowed. */
  readonly retryBudget: number;
  /** Whether a status 500 marks a backend dead, too, while an active health checker is running. */
  readonly deadBackendOn500: boolean;
  /** Whether connections to backends are kept alive. */
  readonly httpKeepAlive: boolean;
  /** Whether plain requests are relayed byte by byte, without Node's HTTP server and client. */
  readonly fastLane: boolean;
  /** In the fast lane: whether all accepted connections read into one buffer, if this Node passes the test for it. */
  readonly sharedReads: boolean;
  /**
   * The folder of error pages. Missing pages fall back to the packaged ones, unless it has a default page. Null: all
   * packaged.
   */
  readonly staticDir: string | null;
  /** Absolute folders that `file:` entries may serve, with everything below them. */
  readonly staticRoots: readonly string[];
  /** Where files of buffers are made, absolute; null is the system's folder for temporary files. */
  readonly bufferFolder: string | null;
  /** The format of the operator's log; `auto`: text on a terminal, JSON elsewhere. */
  readonly log: 'auto' | 'json' | 'text';
  readonly debug: boolean;
  readonly lruCache: { readonly size: number; readonly ttl: number } | null;
  /** The time limit of a store lookup; after it the client gets 503. */
  readonly storeTimeout: number;
  /** MiB, 0 for none: see core/limits/memory-judgement.ts. */
  readonly memory: { readonly limitMB: number; readonly ceilingMB: number; readonly interval: number };
  /**
   * `delay`: how long the router reports not ready before a shutdown begins. `requests`, `tunnels`: how long a worker
   * that stops waits for open requests and for tunnels.
   */
  readonly drain: { readonly delay: number; readonly requests: number; readonly tunnels: number };
  /** A worker whose event loop is blocked for longer is replaced; 0 is no limit. */
  readonly workerTimeout: number;
  /** The file for the master's process id, absolute; null for none. */
  readonly pidFile: string | null;
  readonly timeouts: Timeouts;
  readonly limits: Limits;
  /** Addresses and CIDR ranges whose X-Forwarded-* fields are trusted; `private` means the private ranges. */
  readonly trustedProxies: readonly string[];
  /** `standard` replaces forged fields; `hipache` sets them only where absent, and maps IPv4 into IPv6. */
  readonly forwarded: 'standard' | 'hipache';
  /** Where X-Request-Id is sent. */
  readonly requestId: 'backend' | 'both' | 'off';
  /** Whether the path of a backend's URL is put before those of its requests. */
  readonly backendPath: boolean;
  /** Whether backends with `https:` URLs get plain HTTP, as in Hipache. */
  readonly legacyScheme: boolean;
  /** The secret of sticky cookies, the same for all routers; null: the one in Redis, or one of this process. */
  readonly stickySecret: string | null;
  /** Whether a backend whose dead mark ends gets one trial request of all routers before others: see core/health/trial.ts. */
  readonly trial: boolean;
  /** Whether this router makes active checks. Marks and results of other routers count in any case. */
  readonly checks: boolean;
  /** Seconds of lag of a worker's event loop from which on it refuses requests; 0: it refuses none. */
  readonly overloadLag: number;
  /** Where this machine is: backends of the same zone in `weights:<key>` are preferred. Null: that does not matter. */
  readonly zone: string | null;
}

/** The section `server.limits`: numbers, and sizes in bytes. */
export interface Limits {
  readonly headerBytes: number;
  /**
   * The maximum number of client connections per worker; beyond it idle ones are closed, and others wait. 0 is no
   * limit.
   */
  readonly connections: number;
  /** The same per client address, or IPv6 /64 network, except trusted proxies. Null is a quarter; 0 is no limit. */
  readonly connectionsPerClient: number | null;
  /** The maximum number of requests held for paused frontends, per worker. */
  readonly paused: number;
  /** The maximum number of requests that wait for sites with `maxConn` or `maxConnPerBackend`, per worker. */
  readonly queued: number;
  /** 0 is no limit. */
  readonly bodyBytes: number;
  /** The minimum rate of a request body after its first seconds, bytes per second. 0 is no limit. */
  readonly bodyMinRate: number;
  /** The minimum rate at which a client must read a response that waits for it, bytes per second. 0 is no limit. */
  readonly readMinRate: number;
  /** Of buffers of bodies, per worker, in memory and in files. */
  readonly bufferMemoryBytes: number;
  readonly bufferFileBytes: number;
}

/** One address that the router listens on for clients. */
export interface ListenerConfig {
  readonly address: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly proxyProtocol: 'off' | 'optional' | 'required';
  /** Whether clients may use HTTP/2: by ALPN with TLS, by prior knowledge without. */
  readonly http2: boolean;
  /** Null for plain HTTP. */
  readonly tls: TlsConfig | null;
}

/** The section `admin`. */
export interface AdminConfig {
  readonly places: readonly AdminPlace[];
  /** The token that requests must have; null only where other machines cannot connect. */
  readonly token: string | null;
}

/** An address of the admin interface. Port 0 is any free one; a socket's path is absolute. */
export type AdminPlace = { readonly address: string; readonly port: number } | { readonly socket: string };

/** File contents (PEM), read when the configuration is loaded: workers need no permission to read them. */
export interface TlsConfig {
  /** With `cert`: the certificate for clients whose name has none in the store. Both null: such clients are refused. */
  readonly key: string | null;
  readonly cert: string | null;
  readonly ca: readonly string[];
  readonly passphrase: string | null;
  /** OpenSSL's list; TLS 1.3 has its own in addition. */
  readonly ciphers: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** The authorities that check client certificates; empty: clients are not asked for one. */
  readonly clientCa: readonly string[];
  /** Whether clients without a certificate are accepted. */
  readonly clientCert: 'optional' | 'required';
  /** Whether backends get the whole certificate. */
  readonly clientCertPem: boolean;
}

/** How a Redis store is cached. A routes file is always in memory. */
export interface CacheConfig {
  /** `request` asks Redis for each request; `push` only for what Redis has reported as changed. */
  readonly mode: 'request' | 'push';
  /** The maximum number of cached hosts, per worker. */
  readonly max: number;
  /** In mode `push`: how long a route is used without asking Redis, even if no change was reported. */
  readonly maxAge: number;
  /** How long a known route is used while Redis does not reply; 0: not at all. */
  readonly maxStale: number;
  /** In mode `push`: whether all routes are read in the background, up to `max`. */
  readonly preload: boolean;
  /** The file that keeps known routes for the next start, absolute; null for none. */
  readonly snapshot: string | null;
}

/** Tracing: what is sampled, and where spans are sent. */
export interface OtelConfig {
  /** The collector's URL for spans. */
  readonly endpoint: string;
  /** The share of exchanges to sample where no trusted caller decides, 0 to 1. */
  readonly sample: number;
  /** Whether the sampled flag of trusted proxies decides. */
  readonly trustIncoming: boolean;
  /** The service name; null takes it from the environment. */
  readonly service: string | null;
  /** Header fields of each request to the collector. */
  readonly headers: Readonly<Record<string, string>>;
  /** The time limit of such a request. */
  readonly timeoutMs: number;
}

/** Driver URLs as core/routing/driver-url.ts parses them; a `file:` path is absolute here. */
export interface DriverConfig {
  readonly read: string;
  readonly write: string;
}
