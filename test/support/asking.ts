import assert from 'node:assert/strict';
import { ask } from './client.ts';

const CLIENTS = 4;

/**
 * Clients that ask a router on and on, whatever happens to it.
 * @param limitMs no answer may take longer
 * @returns ends them, and tells how often each status came
 */
export function askOnAndOn(
  { port }: { readonly port: number },
  limitMs: number,
  hosts: readonly string[] = ['site.test'],
): () => Promise<ReadonlyMap<number, number>> {
  const state = { isOver: false };
  const statuses = new Map<number, number>();
  const work = async (at: number): Promise<void> => {
    for (let i = at; !state.isOver; i++) {
      const startedAt = performance.now();
      const { status } = await ask({ port, host: hosts[i % hosts.length] ?? '' });
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs < limitMs, `${status} after ${tookMs} ms`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const working = Promise.all(Array.from({ length: CLIENTS }, (_, at) => work(at)));
  // It is told of when they are ended.
  working.catch(() => {});
  return async () => {
    state.isOver = true;
    await working;
    return statuses;
  };
}
