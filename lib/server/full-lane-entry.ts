import type { Peer } from '../core/http/forwarded.ts';
import type { Activity } from '../core/limits/activity.ts';
import type { HandoffState } from '../core/routing/types.ts';
import type { FullLane } from '../fastlane/parts.ts';
import type { ClientStream } from '../http1/client-stream.ts';
import { Connection } from './connection.ts';
import type { RequestServer } from './request-server.ts';

/** Gives one client connection to the full lane: all of it, one exchange, or a head that took too long. */
export class FullLaneEntry implements FullLane {
  readonly #server: RequestServer;
  readonly #peer: Peer;
  readonly #activity: Activity | null;
  readonly #onAdopt: (() => void) | null;

  /**
   * @param activity where the connection reports that it is busy or idle; null for a stream of an HTTP/2 session, which reports itself
   * @param onAdopt called before the full lane takes the connection over
   */
  constructor(
    server: RequestServer,
    peer: Peer,
    activity: Activity | null = null,
    onAdopt: (() => void) | null = null,
  ) {
    this.#server = server;
    this.#peer = peer;
    this.#activity = activity;
    this.#onAdopt = onAdopt;
  }

  adopt(stream: ClientStream): void {
    this.#onAdopt?.();
    this.#server.take(new Connection(stream, this.#peer, { activity: this.#activity }));
    stream.resume();
  }

  serveOnce(stream: ClientStream, peer: Peer, handoff: HandoffState, onEnded: () => void): void {
    this.#server.take(new Connection(stream, peer, { handoff: { state: handoff, onEnded } }));
  }

  timeOut(stream: ClientStream): void {
    this.#server.timeOut(new Connection(stream, this.#peer));
  }
}
