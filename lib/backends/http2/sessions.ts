import type { Backend } from '../../core/routing/types.ts';
import type { BackendStates } from '../state/backend-states.ts';
import { BackendSessions, type Http2SessionsParts } from './backend-sessions.ts';

/** HTTP/2 connections to all backends; those to one backend are part of its state. */
export class Http2Sessions {
  readonly #parts: Http2SessionsParts;
  readonly #states: BackendStates;

  constructor(parts: Http2SessionsParts, states: BackendStates) {
    this.#parts = parts;
    this.#states = states;
  }

  /** The connections to one backend. */
  of(backend: Backend): BackendSessions {
    return (this.#states.of(backend).http2 ??= new BackendSessions(backend, this.#parts));
  }

  /** Maximum number of concurrent requests to a backend, as far as is known. */
  limitAt(backend: Backend): number {
    return this.#parts.maxSockets * this.of(backend).limit;
  }

  /** Number of all connections, for tests and metrics. */
  get size(): number {
    let sum = 0;
    for (const { http2 } of this.#states) sum += http2?.size ?? 0;
    return sum;
  }

  /** Closes every connection, busy ones too. */
  close(): void {
    for (const { http2 } of this.#states) http2?.close();
  }
}
