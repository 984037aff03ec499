/** ioredis, where a connection to Redis is opened: loading it takes 90 ms of CPU, and most processes open none. */
import { createRequire } from 'node:module';
import { mendStringMethods } from './string-methods.ts';

export type Ioredis = typeof import('ioredis');

let loaded: Ioredis | null = null;

/**
 * Loads it at the first call, without a turn of the event loop between. A worker makes that call before it drops its
 * privileges: its new user may have no right to read the package.
 */
export function ioredis(): Ioredis {
  loaded ??= load();
  return loaded;
}

function load(): Ioredis {
  const library = createRequire(import.meta.url)('ioredis') as Ioredis;
  mendStringMethods();
  return library;
}
