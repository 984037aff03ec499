/** A request and a WebSocket message, as a browser sends them: to the router, with the site's name. */
import { once } from 'node:events';
import { get } from 'node:http';
import { WebSocket } from 'ws';

/** What the site says, as text. Only browsers and curl know that *.localhost is this machine: Host says it here. */
export async function askOverHttp(port, host) {
  const request = get({ host: '127.0.0.1', port, headers: { host: `${host}:${port}` }, agent: false, timeout: 10_000 });
  request.once('timeout', () => request.destroy(new Error('no answer within 10 s')));
  const [answer] = await once(request, 'response');
  answer.setEncoding('utf8');
  let body = '';
  for await (const text of answer) body += text;
  const { httpVersion, statusCode, statusMessage, rawHeaders } = answer;
  let head = `HTTP/${httpVersion} ${statusCode} ${statusMessage}\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\n`;
  return `${head}\n${body}`;
}

/** What the site says to a WebSocket message. */
export async function askOverWebSocket(port, host, text) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    headers: { host: `${host}:${port}` },
    handshakeTimeout: 10_000,
  });
  await once(socket, 'open');
  socket.send(text);
  const [data] = await once(socket, 'message');
  socket.close();
  return String(data);
}
