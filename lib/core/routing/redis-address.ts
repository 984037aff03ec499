import { bracketed } from './hostname.ts';

/** The address of a Redis, and the user. */
export interface RedisAddress {
  readonly place: RedisPlace;
  /** Null: in the clear. */
  readonly tls: RedisTls | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** Put before `frontend:` and `dead:`, not before `hchecker_ping` nor the channel `dead`. */
  readonly prefix: string;
}

export type RedisPlace =
  | ({ readonly type: 'server' } & Endpoint)
  /** A Unix socket, by its path. */
  | { readonly type: 'socket'; readonly path: string }
  /** Sentinels, who know where the master of this name is. They may want a user and a password of their own. */
  | {
      readonly type: 'sentinels';
      readonly sentinels: readonly Endpoint[];
      readonly master: string;
      readonly username: string | null;
      readonly password: string | null;
    }
  /** Some nodes of a cluster, who know the others. */
  | { readonly type: 'cluster'; readonly nodes: readonly Endpoint[] };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Trusted authorities and the client certificate, in PEM. */
export interface RedisTls {
  /** Authorities; none: those that Node trusts. */
  readonly ca: readonly string[];
  readonly cert: string | null;
  readonly key: string | null;
  readonly passphrase: string | null;
}

/** The authorities that Node trusts, and no certificate of our own. */
export const PLAIN_TLS: RedisTls = { ca: [], cert: null, key: null, passphrase: null };

/** The address for operators, without users and passwords. */
export function nameOfAddress({ place, tls, database, prefix }: RedisAddress): string {
  const redis = tls === null ? 'redis' : 'rediss';
  const fragment = prefix === '' ? '' : `#${prefix}`;
  switch (place.type) {
    case 'server':
      return `${redis}://${nameOfEndpoint(place)}/${database}${fragment}`;
    case 'socket':
      return `${redis}+unix://${place.path}?db=${database}${fragment}`;
    case 'sentinels':
      return `${redis}+sentinel://${place.sentinels.map(nameOfEndpoint).join(',')}/${place.master}/${database}${fragment}`;
    case 'cluster':
      return `${redis}+cluster://${place.nodes.map(nameOfEndpoint).join(',')}/${fragment}`;
  }
}

/** `host:port`, with brackets around an IPv6 address. */
export function nameOfEndpoint({ host, port }: Endpoint): string {
  return `${bracketed(host)}:${port}`;
}

/** Whether two addresses lead to one server or cluster, whatever their prefixes. */
export function isSameServer(a: RedisAddress, b: RedisAddress): boolean {
  return JSON.stringify({ ...a, prefix: '' }) === JSON.stringify({ ...b, prefix: '' });
}
