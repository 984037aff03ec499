/**
 * The fast lane: relays plain HTTP/1.1 requests byte by byte, at a fraction of what the full lane costs. It owns no
 * policy: what is not plain, and what fails, goes on in the full lane.
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
  /** Told whenever no exchange is under way any more. */
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
      // As Node's server says it.
      keepLines: `Connection: keep-alive\r\n${limits.idleMs > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : ''}\r\n`,
      dateLine: dateLines(Date.now),
    };
  }

  /** Serves a client's connection, which may be paused. @param activity where it is reported; null for nowhere */
  admit(socket: ClientStream, peer: Peer, fullLane: FullLane, activity: Activity | null): void {
    const connection = new ClientConnection(socket, peer, this.#shared, fullLane, activity);
    this.#connections.add(connection);
    connection.start();
  }

  /** Exchanges under way, lent ones included. */
  get size(): number {
    return this.#busy;
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

  onIdle(): void {
    if (--this.#busy === 0) this.onQuiet();
  }

  onGone(connection: LaneConnection): void {
    this.#connections.delete(connection);
  }
}
