import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { RequestBody } from './body.ts';

/** The client's socket after an upgrade request, and the bytes that came with it. */
export interface UpgradeSocket {
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Takes the socket from the response, which is not used. */
  readonly release: () => void;
}

/** The request and the response of an exchange, and how their bodies are read and written. */
export interface Messages {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Set when the client asked to switch protocols. */
  readonly upgrade: UpgradeSocket | null;
  readonly body: RequestBody;
  /** Returns what the client sent ahead of the response to its upgrade, after `upgrade.head`, and stops reading. */
  readonly takeEarly: () => Buffer;
}

/** What an exchange has instead when it has become a tunnel: a request that was read whole, a response that was destroyed. */
export const TUNNELLED: Messages = tunnelled();

function tunnelled(): Messages {
  const request = new IncomingMessage(new Socket());
  request.complete = true;
  const response = new ServerResponse(request);
  response.destroy();
  return { request, response, upgrade: null, body: new RequestBody(request), takeEarly: nothing };
}

/** For requests that ask for no upgrade. */
export function nothing(): Buffer {
  return Buffer.alloc(0);
}
