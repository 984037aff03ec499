/**
 * What http-proxy's documentation shows, with an agent that keeps connections and a table of hosts:
 * `http-proxy.js PORT HOSTS BACKEND ECHO`.
 */
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';
import { ECHO_HOST, hostOf } from '../wrk.ts';

const [port, hosts, backend = '', echo = ''] = process.argv.slice(2);
const targets = new Map(Array.from({ length: Number(hosts) }, (_, n) => [hostOf(n), backend]));
targets.set(ECHO_HOST, echo);

const proxy = httpProxy.createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true });
proxy.on('error', (_error, _request, response) => response.end());

const server = createServer((request, response) => {
  const target = targets.get(request.headers.host ?? '');
  if (target === undefined) response.writeHead(404).end();
  else proxy.web(request, response, { target });
});
server.on('upgrade', (request, socket, head) => {
  const target = targets.get(request.headers.host ?? '');
  if (target === undefined) socket.destroy();
  // An agent would take the upgraded connection for one that it may keep.
  else proxy.ws(request, socket, head, { target, agent: false });
});
server.listen(Number(port), '127.0.0.1', 4096);
