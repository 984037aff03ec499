import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Sends one GET on a connection of its own, and closes the connection. Without a time limit: the caller has one, and
 * destroys the socket.
 * @param authority as clients send it
 * @returns the status of the response. Rejects when there is none
 */
export function requestByHttp2(socket: Socket, authority: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      socket.destroy();
      reject(new Error('it does not speak HTTP/2 over TLS'));
      return;
    }
    // The authority of the URL is used for nothing: the socket is connected.
    const session = connect('http://backend', { createConnection: () => socket });
    const fail = (error: Error): void => {
      reject(error);
      session.destroy();
    };
    session.once('error', fail);
    session.once('close', () => reject(new Error('it closed the connection without a response')));
    const scheme = socket instanceof TLSSocket ? 'https' : 'http';
    const head = { ':method': 'GET', ':scheme': scheme, ':authority': authority, ':path': path };
    const stream = session.request({ ...head, 'user-agent': 'hipache-probe' });
    stream.once('error', fail);
    stream.once('response', ({ ':status': status = 0 }) => {
      resolve(status);
      session.destroy();
    });
    stream.end();
  });
}
