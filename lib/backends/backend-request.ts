/** A request to a backend and its answer, in HTTP/1.1's terms, whatever version the backend speaks. Types only, but for an error. */
import type { IncomingHttpHeaders } from 'node:http';

/** What each event brings is its own. */
// oxlint-disable-next-line typescript/no-explicit-any -- as Node's types have it: nothing else takes every listener
export type Listener = (...args: any[]) => void;

/** What is done to a request on its way out: Node's ClientRequest, or a stream of HTTP/2. */
export interface BackendRequest {
  /** Its connection has served others, and may have been closed meanwhile without anybody's fault. */
  readonly reusedSocket: boolean;
  /** By HTTP/2: it is certain that the backend has not looked at it. */
  readonly wasRefused?: boolean;
  /** It finds out by itself whether an idle connection was closed, before it sends by it. */
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

/** What is read of an answer: Node's IncomingMessage, or what came on a stream of HTTP/2. */
export interface BackendResponse {
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly httpVersion: string;
  readonly httpVersionMajor: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Known at its end. */
  readonly rawTrailers: readonly string[];
  /** All of it has come. */
  readonly complete: boolean;
  pause(): unknown;
  resume(): unknown;
  /** `data`, `end`, and `error` when it breaks off. */
  on(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
}

/** A connection that may still be on its way; `ready`: it is there. */
export interface Wire {
  readonly connecting: boolean;
  once(event: string, listener: () => void): unknown;
}

/** An answer to an upgrade: 101, or what stands for it. */
export type SwitchingResponse = Pick<BackendResponse, 'headers' | 'rawHeaders'>;

/** A backend cannot do what a request asks for. */
export class Unfit extends Error {}

/** A backend has ended a connection after streams on it had been broken off, perhaps because of that. */
export class Dropped extends Error {}

/** A backend does not keep to the rules of HTTP. */
export class NotHttp extends Error {}
