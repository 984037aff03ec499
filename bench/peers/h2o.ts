/** h2o: a host entry for each host. */
import { join } from 'node:path';
import { tools } from '../tools.ts';
import { hostLines, PLAIN, type Peer, type Place, type Setup } from './peer.ts';

export function h2o(setup: Partial<Setup> = {}): Peer {
  return {
    name: 'h2o',
    label: 'h2o',
    tools: [tools.h2o],
    setup: { ...PLAIN, ...setup },
    recipe: (place) => ({
      files: { 'h2o.yaml': configuration(place) },
      command: ['h2o', '-m', 'worker', '-c', join(place.folder, 'h2o.yaml')],
    }),
  };
}

function configuration({ scene: { backends, certificate }, setup, port }: Place): string {
  const { cert, key } = certificate;
  const host = (name: string): string => `  "${name}":
    paths:
      /:
        proxy.reverse.url: "${backends.plain}"`;
  return `${process.getuid?.() === 0 ? 'user: root' : ''}
num-threads: ${setup.workers}
max-connections: 30000
http1-request-timeout: 600
proxy.preserve-host: ON
# Without a time it keeps no connection to the backend, ms.
proxy.timeout.keepalive: 60000
listen:
  host: 127.0.0.1
  port: ${port}
${setup.tls ? `  ssl:\n    certificate-file: ${cert}\n    key-file: ${key}\n    minimum-version: TLSv1.2` : ''}
hosts:
${hostLines(setup.frontends, host)}
`;
}
