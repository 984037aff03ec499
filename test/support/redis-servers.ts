import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../lib/config/package.ts';

/** A program to run as the server. */
export interface RedisServer {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The one that the system has. */
export const SYSTEM_SERVER: RedisServer = { command: 'redis-server', env: {} };

/** One that scripts/fetch-redis.mjs has fetched, or why it is not there. */
export function fetchedServer(name: 'redis-6' | 'valkey-8'): RedisServer | string {
  const folder = join(packageRoot, '.redis', name, 'usr');
  const command = join(folder, 'bin', name === 'valkey-8' ? 'valkey-server' : 'redis-server');
  if (!existsSync(command)) return `there is no ${name}: node scripts/fetch-redis.mjs gets it on Debian`;
  const libraries = join(folder, 'lib/x86_64-linux-gnu');
  // Debian's Redis 6 asks Lua for cjson, which looks where the system has its modules.
  return { command, env: { LD_LIBRARY_PATH: libraries, LUA_CPATH: join(libraries, 'lua/5.1/?.so') } };
}
