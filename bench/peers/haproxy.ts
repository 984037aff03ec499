/** haproxy: a map from hosts to backends. */
import { join } from 'node:path';
import { tools } from '../tools.ts';
import { ECHO_HOST } from '../wrk.ts';
import { authorityOf, hostLines, PLAIN, type Peer, type Place, type Setup } from './peer.ts';

export function haproxy(setup: Partial<Setup> = {}): Peer {
  return {
    name: 'haproxy',
    label: 'haproxy',
    tools: [tools.haproxy],
    setup: { ...PLAIN, ...setup },
    recipe: (place) => ({
      files: {
        'hosts.map': `${ECHO_HOST} echo\n${hostLines(place.setup.frontends, (host) => `${host} plain`)}\n`,
        'haproxy.cfg': configuration(place),
      },
      command: ['haproxy', '-db', '-f', join(place.folder, 'haproxy.cfg')],
    }),
  };
}

function configuration({ scene: { backends, certificate }, setup, port, folder }: Place): string {
  return `global
  nbthread ${setup.workers}
  # Also where the limit of open files does not allow for two a connection.
  no strict-limits
  maxconn 30000
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout client 600s
  timeout server 600s
  timeout connect 5s
  timeout tunnel 600s
  timeout http-keep-alive 600s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:${port} backlog 4096${setup.tls ? ` ssl crt ${certificate.both}` : ''}${setup.http2 ? (setup.tls ? ' alpn h2,http/1.1' : ' proto h2') : ''}
  option forwardfor
  http-request set-header X-Forwarded-Proto ${setup.tls ? 'https' : 'http'}
  use_backend %[req.hdr(host),lower,map(${join(folder, 'hosts.map')},none)]
backend plain
  server one ${authorityOf(backends.plain)}
backend echo
  server one ${authorityOf(backends.echo)}
backend none
  http-request deny deny_status 404
`;
}
