import type { Backend } from '../../core/routing/types.ts';
import type { BackendStates } from '../state/backend-states.ts';
import { BackendSessions, type Http2SessionsParts } from './backend-sessions.ts';

/** HTTP/2 connections to all backends; those to one of them are part of its record. */
export class Http2Sessions {
  readonly #parts: Http2SessionsParts;
  readonly #states: BackendStates;

  constructor(parts: Http2SessionsParts, states: BackendStates) {
    this.#parts = parts;
    this.#states = states;
  }

  /** Those to one backend. */
  of(backend: Backend): BackendSessions {
    return (this.#states.of(backend).http2 ??= new BackendSessions(backend, this.#parts));
  }

  /** Requests that a backend takes at a time, as far as is known of it. */
  limitAt(backend: Backend): number {
    return this.#parts.maxSockets * this.of(backend).limit;
  }

  /** Connections in all, for tests and counters. */
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
