/** Maximum numbers of client connections in a worker; Infinity for no limit. */
export interface ConnectionLimits {
  readonly connections: number;
  /** For one client: an IPv4 address, or a 64-bit IPv6 network. */
  readonly perClient: number;
}

/**
 * Why a connection was closed. `full`: it was idle longest when there was no room. `client-idle`: the same among those of
 * a client that had as many as it may. `client-refused`: it was the next of such a client, with none of them idle.
 */
export type CloseReason = 'full' | 'client-idle' | 'client-refused';

/** The minimum of the default for one client: a browser opens six per site. */
const LEAST_PER_CLIENT = 16;

/**
 * The limits of a worker.
 * @param room what it has descriptors for
 * @param connections `server.limits.connections`; 0 for no limit of its own
 * @param perClient `server.limits.connectionsPerClient`; null for a quarter of all, 0 for no limit
 */
export function connectionLimits(room: number, connections: number, perClient: number | null): ConnectionLimits {
  const all = Math.min(connections || Infinity, room);
  if (perClient === 0) return { connections: all, perClient: Infinity };
  return { connections: all, perClient: perClient ?? Math.min(all, Math.max(LEAST_PER_CLIENT, Math.floor(all / 4))) };
}
