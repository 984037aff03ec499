/** The backend of every system under test: nginx with static answers, which keeps connections. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxCommand, NGINX_COMMON } from './nginx-common.ts';
import { freePort, untilAnswered } from './ports.ts';
import type { Processes } from './processes.ts';

/** What it answers, by path. */
export const ANSWERS = { '/20': 20, '/1k': 1024, '/100k': 102_400, '/1m': 1_048_576 } as const;

/** Addresses at which it listens: as many backends for a system that balances. */
export const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;

/** Starts it. @returns its port */
export async function startBackend(processes: Processes, cores: readonly number[], parent: string): Promise<number> {
  const folder = join(parent, 'backend');
  mkdirSync(folder);
  // nginx takes no answer of that length in its configuration.
  for (const path of ['/100k', '/1m'] as const) writeFileSync(join(folder, path), 'x'.repeat(ANSWERS[path]));
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port));
  const server = await processes.start(nginxCommand(folder), cores);
  try {
    await untilAnswered({ port, host: 'backend', path: '/20', tls: false, http2: false }, () => server.hasEnded);
  } catch (error) {
    throw new Error(`the backend did not start: ${server.said()}`, { cause: error });
  }
  return port;
}

function configuration(folder: string, port: number): string {
  return `${NGINX_COMMON(folder, 1)}
  access_log off;
  client_max_body_size 0;
  client_body_buffer_size 64k;
  open_file_cache max=10;
  sendfile on;
  server {
    ${ADDRESSES.map((address) => `listen ${address}:${port} backlog=4096;`).join(' ')}
    location = /20 { return 200 "${'x'.repeat(ANSWERS['/20'])}"; }
    location = /1k { return 200 "${'x'.repeat(ANSWERS['/1k'])}"; }
    location = /100k { root ${folder}; }
    location = /1m { root ${folder}; }
  }
}
`;
}
