/**
 * The fast lane: relays plain HTTP/1.1 requests byte by byte, at a fraction of what the full lane costs. It owns no
 * policy: what is not plain, and what fails, goes on in the full lane.
 */
import type { Socket } from 'node:net';
import type { Backend } from '../core/types.ts';
import type { Peer } from '../core/forwarded.ts';
import { ClientConnection, type ConnectionKeeper } from './client-connection.ts';
import { Deadlines } from './deadlines.ts';
import { HeadWriters } from './head-writer.ts';
import type { FullLane, LaneParts } from './parts.ts';
import { Pool } from './pool.ts';
import { dateLines, type LaneShared } from './shared.ts';

export class Lane implements ConnectionKeeper {
  readonly #shared: LaneShared;
  readonly #connections = new Set<ClientConnection>();
  #busy = 0;
  /** Told whenever no exchange is under way any more. */
  onQuiet: () => void = () => {};

  constructor(parts: LaneParts) {
    const deadlines = new Deadlines(parts.now);
    const { maxSockets, otherPool: other, use, limits, dialer } = parts;
    const seconds = Math.floor(limits.idleMs / 1000);
    this.#shared = {
      parts,
      deadlines,
      writers: new HeadWriters(parts.headerPolicy, parts.isKeeping),
      pool: new Pool({ maxSockets, other, use, deadlines, dialer }),
      // As Node's server says it.
      keepLines: `Connection: keep-alive\r\n${limits.idleMs > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : ''}\r\n`,
      dateLine: dateLines(Date.now),
    };
  }

  /** Serves a client's connection, which may be paused. */
  admit(socket: Socket, peer: Peer, fullLane: FullLane): void {
    const connection = new ClientConnection(socket, peer, this.#shared, fullLane, this);
    this.#connections.add(connection);
    connection.start();
  }

  /** Exchanges under way, lent ones included. */
  get size(): number {
    return this.#busy;
  }

  /** Open connections to a backend, idle ones included. */
  open(backend: Backend): number {
    return this.#shared.pool.opened(backend);
  }

  /** Closes an idle connection to a backend, if there is one. */
  closeIdle(backend: Backend): void {
    this.#shared.pool.closeIdle(backend);
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

  onGone(connection: ClientConnection): void {
    this.#connections.delete(connection);
  }
}
