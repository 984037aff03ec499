/**
 * A request to a backend and its response, in HTTP/1.1's terms, for all HTTP versions. Types and error classes only.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** The arguments depend on the event. */
// oxlint-disable-next-line typescript/no-explicit-any -- as Node's types have it: nothing else takes every listener
export type Listener = (...args: any[]) => void;

/** Whether a refused request was certainly not processed, or likely not. */
export type Refusal = 'certain' | 'likely';

/** An outgoing request: Node's ClientRequest, or an HTTP/2 stream. */
export interface BackendRequest {
  /** The connection is reused: the backend may have closed it meanwhile, which is no fault. */
  readonly reusedSocket: boolean;
  /** HTTP/2 only: whether the backend has refused to process the request; null or undefined otherwise. */
  readonly refusal?: Refusal | null;
  /** The request itself checks an idle connection before it sends. */
  readonly isChecking?: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableNeedDrain: boolean;
  write(chunk: Buffer): boolean;
  addTrailers(fields: [string, string][]): void;
  end(): unknown;
  flushHeaders(): void;
  destroy(): unknown;
  /** `socket`, `information`, `response`, `upgrade`, `drain`, `error`, `close`: as ClientRequest's. */
  on(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

/** A backend's response: Node's IncomingMessage, or one from an HTTP/2 stream. */
export interface BackendResponse {
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly httpVersion: string;
  readonly httpVersionMajor: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Complete at the end of the response. */
  readonly rawTrailers: readonly string[];
  /** The whole response has come. */
  readonly complete: boolean;
  pause(): unknown;
  resume(): unknown;
  /** `data`, `end`, and `error` when it breaks off. */
  on(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
}

/** A connection that may still be connecting; it emits `ready` when connected. */
export interface Wire {
  readonly connecting: boolean;
  once(event: string, listener: () => void): unknown;
}

/** The response to an upgrade: 101, or its equivalent in HTTP/2. */
export type SwitchingResponse = Pick<BackendResponse, 'headers' | 'rawHeaders'>;

/** The backend does not support what the request asks for. */
export class Unfit extends Error {}

/** The backend has closed a connection after streams on it were reset, perhaps because of that. */
export class Dropped extends Error {}

/** The backend has refused the stream: at this moment it takes no further ones on this connection. */
export class Refused extends Dropped {}

/** The backend has violated HTTP. */
export class NotHttp extends Error {}
