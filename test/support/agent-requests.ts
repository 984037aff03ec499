/** Requests by the full lane's agent without the rest of the lane. */
import type { ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { BackendStream } from '../../lib/backends/http1/backend-stream.ts';

/** Has the request's connection expect its response, as an attempt does. */
export function expecting(request: ClientRequest): ClientRequest {
  return request.once('socket', (socket: Duplex) => {
    if (socket instanceof BackendStream) socket.expect(request.method === 'HEAD', false);
  });
}
