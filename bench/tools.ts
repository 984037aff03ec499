/** The programs a benchmark needs, and the Debian packages that have them. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Tool {
  /** A program on the PATH, or a file by its full name. */
  readonly program: string;
  readonly debian: string;
}

export const tools = {
  taskset: { program: 'taskset', debian: 'util-linux' },
  wrk: { program: 'wrk', debian: 'wrk' },
  h2load: { program: 'h2load', debian: 'nghttp2-client' },
  nginx: { program: 'nginx', debian: 'nginx' },
  redisServer: { program: 'redis-server', debian: 'redis-server' },
  redisCli: { program: 'redis-cli', debian: 'redis-tools' },
  openssl: { program: 'openssl', debian: 'openssl' },
  haproxy: { program: 'haproxy', debian: 'haproxy' },
  h2o: { program: 'h2o', debian: 'h2o' },
  apache: { program: 'apache2', debian: 'apache2' },
  nginxLua: { program: '/usr/lib/nginx/modules/ngx_http_lua_module.so', debian: 'libnginx-mod-http-lua' },
  luaRedis: { program: '/usr/share/lua/5.1/nginx/redis.lua', debian: 'lua-nginx-redis' },
} as const satisfies Record<string, Tool>;

/** Without these nothing can be measured. */
export const NEEDED: readonly Tool[] = [
  tools.taskset,
  tools.wrk,
  tools.nginx,
  tools.redisServer,
  tools.redisCli,
  tools.openssl,
];

// Debian keeps servers where a user's PATH does not look.
const PLACES = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'].filter(Boolean);

/** Where a program is, or null. */
export function find(program: string, places: readonly string[] = PLACES): string | null {
  if (program.startsWith('/')) return existsSync(program) ? program : null;
  for (const place of places) {
    const path = join(place, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

/** Those that are not there. */
export function missing(wanted: readonly Tool[], places: readonly string[] = PLACES): readonly Tool[] {
  return wanted.filter(({ program }) => find(program, places) === null);
}

/** The command that a Debian user would type for these. */
export function advice(lacking: readonly Tool[]): string {
  const packages = [...new Set(lacking.map(({ debian }) => debian))].join(' ');
  return `apt-get install --no-install-recommends ${packages}`;
}
