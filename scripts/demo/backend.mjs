/** A small server such as sites run behind the router: a page that names itself, and a WebSocket that echoes. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** Starts it on a free local port. `close()` ends it at once. */
export async function startBackend(name) {
  const server = createServer((request, response) => answer(name, request, response));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(`backend ${name} heard: ${Buffer.from(data).toString()}`));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(name, request, response) {
  const isBrowser = request.headers.accept?.includes('text/html') ?? false;
  const body = isBrowser ? page(name, request) : lines(name, request).join('');
  response.setHeader('Content-Type', `text/${isBrowser ? 'html' : 'plain'}; charset=utf-8`);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

function lines(name, { method, url, headers }) {
  const told = ['host', 'x-forwarded-for', 'x-request-id'].map((field) => `${field}: ${headers[field] ?? '-'}\n`);
  return [`Hello from backend ${name}. It was asked:\n`, `${method} ${url}\n`, ...told];
}

function page(name, request) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Backend ${name}</title>
<h1>Backend ${name}</h1>
<pre>${lines(name, request).map(escaped).join('')}</pre>
<p>Reload, and the other backend may answer. Say something by WebSocket:</p>
<form><input name="text" value="hello" aria-label="text"> <button>Send</button></form>
<pre id="heard"></pre>
<script>
  const socket = new WebSocket(location.href.replace(/^http/, 'ws'));
  const heard = document.getElementById('heard');
  socket.onmessage = ({ data }) => { heard.textContent += data + '\\n'; };
  socket.onclose = () => { heard.textContent += 'closed\\n'; };
  document.querySelector('form').onsubmit = (event) => {
    event.preventDefault();
    socket.send(event.target.text.value);
  };
</script>
</html>
`;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
