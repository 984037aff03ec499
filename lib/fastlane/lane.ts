/**
 * The fast lane relays plain HTTP/1.1 requests as bytes, at a fraction of the cost of the full lane. It has no policy
 * of its own: requests that are not plain, and attempts that fail, are handed off to the full lane.
 */
import type { ClientStream } from '../http1/client-stream.ts';
import type { Activity } from '../core/limits/activity.ts';
import type { Peer } from '../core/http/forwarded.ts';
import { ClientConnection } from './client-connection.ts';
import type { ConnectionKeeper, LaneConnection } from './connection-keeper.ts';
import { HeadWriters } from './head-writer.ts';
import type { FullLane, LaneParts } from './parts.ts';
import { NextTurn } from './next-turn.ts';
import { RelayPool } from '../backends/http1/relay-pool.ts';
import { dateLines, type LaneShared } from './shared.ts';

export class Lane implements ConnectionKeeper {
  readonly #shared: LaneShared;
  readonly #connections = new Set<LaneConnection>();
  #busy = 0;
  #handedOff = 0;
  /** Called whenever the last exchange under way has ended. */
  onQuiet: () => void = () => {};

  constructor(parts: LaneParts) {
    const { maxSockets, backends: states, clock, use, limits, dialer } = parts;
    const seconds = Math.floor(limits.idleMs / 1000);
    this.#shared = {
      parts,
      clock,
      writers: new HeadWriters(parts.headerPolicy, parts.isKeeping),
      pool: new RelayPool({ maxSockets, states, use, clock, dialer, now: parts.now }),
      nextTurn: new NextTurn(),
      keeper: this,
      // The same fields as Node's server sends.
      keepLines: `Connection: keep-alive\r\n${limits.idleMs > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : ''}\r\n`,
      dateLine: dateLines(Date.now),
    };
  }

  /** Serves a client's connection, which may be paused. @param activity gets busy and idle reports; may be null */
  admit(socket: ClientStream, peer: Peer, fullLane: FullLane, activity: Activity | null): void {
    const connection = new ClientConnection(socket, peer, this.#shared, fullLane, activity);
    this.#connections.add(connection);
    connection.start();
  }

  /** Exchanges under way, including those handed off. */
  get size(): number {
    return this.#busy;
  }

  /** How many of them were handed off. */
  get handedOff(): number {
    return this.#handedOff;
  }

  /** Closes clients' connections that wait for a next request. */
  closeIdleClients(): void {
    for (const connection of this.#connections) connection.closeIdle();
  }

  /** Cuts every exchange that is under way. */
  cut(): void {
    for (const connection of this.#connections) connection.cutBusy();
  }

  /** Closes the idle connections to backends. */
  close(): void {
    this.#shared.pool.close();
  }

  onBusy(): void {
    this.#busy++;
  }

  onHandedOff(): void {
    this.#handedOff++;
  }

  onIdle(wasHandedOff: boolean): void {
    if (wasHandedOff) this.#handedOff--;
    if (--this.#busy === 0) this.onQuiet();
  }

  onGone(connection: LaneConnection): void {
    this.#connections.delete(connection);
  }
}
