/** haproxy with the sites of tenant A, limited by `maxconn` of their servers and a stick table; unknown names get no handshake. */
import { join } from 'node:path';
import { authorityOf, hostLines, PLAIN, type Peer, type Place } from '../peers/peer.ts';
import { tools } from '../tools.ts';
import { LIMITS, SITES, siteHost } from './tenants.ts';

export const haproxyWithTenant: Peer = {
  name: 'haproxy',
  label: 'haproxy',
  tools: [tools.haproxy],
  setup: PLAIN,
  recipe: (place) => ({
    files: {
      'hosts.map': `${lines(SITES)}\n${hostLines(place.setup.frontends, (host) => `${host} plain`)}\n`,
      'limited.map': `${lines(SITES.filter(({ hasRate }) => hasRate))}\n`,
      'haproxy.cfg': configuration(place),
    },
    command: ['haproxy', '-db', '-f', join(place.folder, 'haproxy.cfg')],
  }),
};

const lines = (sites: typeof SITES): string => sites.map(({ name }) => `${siteHost(name)} ${name}`).join('\n');

function configuration({ scene: { backends, certificate }, setup, port, tlsPort, folder }: Place): string {
  const { perSecond, burst, concurrent, queueMs, connectMs, silenceMs } = LIMITS;
  const sites = SITES.map(({ name, backend }) => {
    const urls = backends.tenant[backend];
    const each = Math.ceil(concurrent / urls.length);
    const servers = urls.map((url, at) => `  server s${at} ${authorityOf(url)} maxconn ${each} maxqueue ${each}`);
    return `backend ${name}\n${servers.join('\n')}`;
  });
  return `global
  nbthread ${setup.workers}
  no strict-limits
  maxconn 30000
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout http-request 10s
  timeout client 60s
  timeout server ${silenceMs}ms
  timeout connect ${connectMs}ms
  timeout queue ${queueMs}ms
  timeout tunnel 600s
  timeout http-keep-alive 600s
  option http-keep-alive
  option redispatch
  http-reuse always
frontend front
  bind 127.0.0.1:${port} backlog 4096
  bind 127.0.0.1:${tlsPort} backlog 4096 ssl crt ${certificate.both} strict-sni
  http-request set-var(txn.host) req.hdr(host),lower
  acl limited var(txn.host),map(${join(folder, 'limited.map')}) -m found
  http-request track-sc0 var(txn.host) table rates if limited
  http-request deny deny_status 429 if limited { sc_http_req_rate(0) gt ${perSecond + burst} }
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  use_backend %[var(txn.host),map(${join(folder, 'hosts.map')},none)]
backend rates
  stick-table type string len 64 size 10k expire 60s store http_req_rate(1s)
backend plain
  server one ${authorityOf(backends.plain)}
${sites.join('\n')}
backend none
  http-request deny deny_status 404
`;
}
