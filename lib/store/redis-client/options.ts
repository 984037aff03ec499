import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import type { RedisAddress, RedisPlace, RedisTls } from '../../core/routing/redis-address.ts';

/** The options of `new Redis`, without the reply mapping that is set here. */
export type OneServerOptions = Omit<RedisOptions, 'replyMapping'>;

const CONNECT_TIMEOUT_MS = 1000;
const RETRY_FIRST_MS = 50;
/** The maximum time between two attempts to connect, ms. */
export const RETRY_MAX_MS = 500;
/** How long a server may take to close its side after ours, ms; one that hangs never does. */
const DISCONNECT_TIMEOUT_MS = 50;

/** Between two attempts to connect to a sentinel, ms. */
const RETRY_SENTINEL_MS = 1000;

const COMMON = {
  protocol: 2,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  // connection.ts decides per command whether to wait and what to send again, within its limit.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // The pulse does it, without INFO, which some users may not call.
  enableReadyCheck: false,
  disableClientInfo: true,
} as const;

/**
 * The options for a connection to one server: that of the address, or the master that its sentinels name.
 * @param handshakeMs limit of each command of the handshake, and of a sentinel's reply
 * @throws Error for a cluster, which has many servers
 */
export function optionsFor(address: RedisAddress, handshakeMs: number): OneServerOptions {
  const { place, tls, username, password, database } = address;
  return {
    ...whereOf(place, tls, handshakeMs),
    ...COMMON,
    db: database,
    commandTimeout: handshakeMs,
    retryStrategy: (times) => Math.min(RETRY_FIRST_MS * times, RETRY_MAX_MS),
    // The server has become a replica: its host name may lead to the new master by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  };
}

/**
 * The options for a connection to each sentinel of an address, which reconnects for ever.
 * @returns none when the address has no sentinels
 */
export function sentinelOptionsFor({ place, tls }: RedisAddress, handshakeMs: number): readonly OneServerOptions[] {
  if (place.type !== 'sentinels') return [];
  return place.sentinels.map(({ host, port }) => ({
    host,
    port,
    ...COMMON,
    commandTimeout: handshakeMs,
    retryStrategy: () => RETRY_SENTINEL_MS,
    ...(place.username === null ? {} : { username: place.username }),
    ...(place.password === null ? {} : { password: place.password }),
    ...(tls && { tls: tlsOptions(tls, host) }),
  }));
}

function whereOf(place: RedisPlace, tls: RedisTls | null, handshakeMs: number): OneServerOptions {
  switch (place.type) {
    case 'server':
      return { host: place.host, port: place.port, ...(tls && { tls: tlsOptions(tls, place.host) }) };
    case 'socket':
      return { path: place.path };
    case 'sentinels': {
      const { sentinels, master, username, password } = place;
      return {
        sentinels: sentinels.map(({ host, port }) => ({ host, port })),
        name: master,
        sentinelCommandTimeout: handshakeMs,
        // ioredis continues in its list of sentinels where it stopped the last time: only after the second round were
        // all asked.
        sentinelRetryStrategy: (round) => (round === 1 ? 0 : null),
        ...(username === null ? {} : { sentinelUsername: username }),
        ...(password === null ? {} : { sentinelPassword: password }),
        ...(tls && { tls: tlsOptions(tls), sentinelTLS: tlsOptions(tls), enableTLSForSentinelMode: true }),
      };
    }
    case 'cluster':
      throw new Error('a cluster is not one server');
  }
}

/** @param host if it is known beforehand */
function tlsOptions({ ca, cert, key, passphrase }: RedisTls, host = ''): ConnectionOptions {
  return {
    ...(host !== '' && isIP(host) === 0 ? { servername: host } : {}),
    ...(ca.length === 0 ? {} : { ca: [...ca] }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(passphrase === null ? {} : { passphrase }),
  };
}
