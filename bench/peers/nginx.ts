/** nginx: `proxy_pass` with connections kept to the backend, and a map of hosts. */
import { join } from 'node:path';
import { ENDLESS, NGINX_COMMON, nginxCommand } from '../nginx-common.ts';
import { tools } from '../tools.ts';
import { GRPC_METHOD } from '../grpc.ts';
import { ECHO_HOST } from '../wrk.ts';
import { authorityOf, hostLines, PLAIN, type Peer, type Place, type Setup } from './peer.ts';

/** Connections that it may keep to the backend. */
const KEPT = 512;

const HEADERS = `proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Real-IP $remote_addr;`;

export function nginx(setup: Partial<Setup> = {}, label = 'nginx'): Peer {
  return {
    name: 'nginx',
    label,
    tools: [tools.nginx],
    setup: { ...PLAIN, ...setup },
    recipe: (place) => ({ files: { 'nginx.conf': configuration(place) }, command: nginxCommand(place.folder) }),
  };
}

function configuration({ scene: { backends, certificate }, setup, port, folder }: Place): string {
  const { cert, key } = certificate;
  return `${NGINX_COMMON(folder, setup.workers)}
  access_log ${setup.accessLog ? join(folder, 'access.log') : 'off'};
  client_body_buffer_size 64k;
  map_hash_max_size ${Math.max(2048, setup.frontends * 2)};
  map_hash_bucket_size 128;
  map $host $site {
    ${ECHO_HOST} echo;
    ${hostLines(setup.frontends, (host) => `${host} plain;`)}
  }
  upstream plain { server ${authorityOf(backends.plain)}; keepalive ${KEPT}; keepalive_requests ${ENDLESS}; }
  upstream echo { server ${authorityOf(backends.echo)}; }
  upstream grpc { server ${authorityOf(backends.grpc)}; keepalive ${KEPT}; keepalive_requests ${ENDLESS}; }
  server {
    listen 127.0.0.1:${port}${setup.tls ? ' ssl' : ''}${setup.http2 ? ' http2' : ''} backlog=4096;
    ${setup.tls ? `ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;` : ''}
    location / {
      if ($site = "") { return 404; }
      ${HEADERS}
      proxy_set_header Connection "";
      proxy_pass http://$site;
    }
    location = ${GRPC_METHOD} {
      grpc_set_header Host $host;
      grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      grpc_pass grpc://grpc;
    }
    location = /ws {
      ${HEADERS}
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_pass http://$site;
    }
  }
}
`;
}
