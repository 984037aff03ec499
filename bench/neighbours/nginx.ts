/** nginx with the sites of tenant A, limited by `limit_req` and `limit_conn`; unknown names get no handshake. */
import { ENDLESS, NGINX_COMMON, nginxCommand } from '../nginx-common.ts';
import { authorityOf, hostLines, PLAIN, type Peer, type Place } from '../peers/peer.ts';
import { tools } from '../tools.ts';
import { LIMITS, SITES, siteHost } from './tenants.ts';

const KEPT = 512;

export const nginxWithTenant: Peer = {
  name: 'nginx',
  label: 'nginx',
  tools: [tools.nginx],
  setup: PLAIN,
  recipe: (place) => ({ files: { 'nginx.conf': configuration(place) }, command: nginxCommand(place.folder) }),
};

const lines = (sites: typeof SITES): string => sites.map(({ name }) => `${siteHost(name)} ${name};`).join(' ');

function configuration({ scene: { backends, certificate }, setup, port, tlsPort, folder }: Place): string {
  const { perSecond, burst, concurrent, connectMs, silenceMs } = LIMITS;
  const upstreams = SITES.map(({ name, backend }) => {
    const servers = backends.tenant[backend].map((url) => `server ${authorityOf(url)};`).join(' ');
    return `upstream ${name} { ${servers} keepalive ${KEPT}; keepalive_requests ${ENDLESS}; }`;
  });
  // An empty key is not limited. Refusals are not logged, which would be most of their work.
  return `${NGINX_COMMON(folder, setup.workers)}
  access_log off;
  client_body_buffer_size 64k;
  client_max_body_size 0;
  map_hash_max_size ${Math.max(2048, setup.frontends * 2)};
  map_hash_bucket_size 128;
  map $host $site {
    ${lines(SITES)}
    ${hostLines(setup.frontends, (host) => `${host} plain;`)}
  }
  map $host $rate { ${lines(SITES.filter(({ hasRate }) => hasRate))} }
  map $host $slots { ${lines(SITES)} }
  map $http_upgrade $upgrades { '' ''; default upgrade; }
  limit_req_zone $rate zone=rate:10m rate=${perSecond}r/s;
  limit_conn_zone $slots zone=slots:10m;
  limit_req_log_level info;
  limit_conn_log_level info;
  limit_req_status 429;
  limit_conn_status 503;
  upstream plain { server ${authorityOf(backends.plain)}; keepalive ${KEPT}; keepalive_requests ${ENDLESS}; }
  ${upstreams.join('\n  ')}
  server {
    listen 127.0.0.1:${tlsPort} ssl default_server backlog=4096;
    ssl_reject_handshake on;
    ssl_session_tickets off;
  }
  server {
    listen 127.0.0.1:${port} default_server backlog=4096;
    listen 127.0.0.1:${tlsPort} ssl;
    server_name *.bench.test;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    location / {
      if ($site = "") { return 404; }
      limit_req zone=rate burst=${burst} nodelay;
      limit_conn slots ${concurrent};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $upgrades;
      proxy_connect_timeout ${connectMs}ms;
      proxy_read_timeout ${silenceMs}ms;
      proxy_send_timeout ${silenceMs}ms;
      proxy_max_temp_file_size 0;
      proxy_pass http://$site;
    }
  }
}
`;
}
