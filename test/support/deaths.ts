/** Backends that are filed as dead, as a test sees it: by the operator's log. */
import assert from 'node:assert/strict';
import { ask, type Ask } from './client.ts';
import type { LogEntry, Router } from './router.ts';

/** More than chance ever needs to pick one of two backends. */
const MANY = 100;

/** The deaths that were logged so far for a host. */
export function deathsOf(router: Router, host: string): readonly LogEntry[] {
  return router.log.filter(({ event, frontend }) => event === 'backend-dead' && frontend === host);
}

/** Asks until a backend of the host was filed as dead. */
export async function askUntilDead(router: Router, request: Omit<Ask, 'port'> & { host: string }): Promise<LogEntry> {
  const found = (): LogEntry | undefined => deathsOf(router, request.host)[0];
  for (let i = 0; i < MANY && found() === undefined; i++) await ask({ port: router.port, ...request });
  // The store may take longer to file it than all these requests took.
  return await router.until(`death of a backend of ${request.host}`, found);
}

/** Whether a host lost no backend, once all that was logged before this call has been read. `control` must lose one. */
export async function assertNobodyDied(router: Router, host: string, control: string): Promise<void> {
  await askUntilDead(router, { host: control });
  assert.deepEqual(deathsOf(router, host), []);
}
