/** A site that a router knows by Redis, and what its clients get while Redis gives no answer. */
import assert from 'node:assert/strict';
import { startBackend } from './backends.ts';
import type { Answer } from './client.ts';
import type { Owner, Router } from './router.ts';
import type { TestRedis } from './redis.ts';

/** A site of one backend, `site.test`, in Redis. */
export async function knownSite(t: Owner, redis: TestRedis) {
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  return backend;
}

/** What asks a router for a host. */
export function at(router: Router, host: string): { readonly port: number; readonly host: string } {
  return { port: router.port, host };
}

/** The backend of `knownSite` has answered. */
export function assertServes(answer: Answer): void {
  assert.deepEqual([answer.status, answer.body], [200, 'hello']);
}

/** The router does not know whether it has such a site. */
export function assertUnavailable(answer: Answer): void {
  assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '5']);
}
