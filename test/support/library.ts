/** Routers of the library, in the process of a test. */
import { createRouter, type Router, type RouterOptions } from '../../lib/library/index.ts';
import type { Owner } from './router.ts';

/** A router that is closed after the test, without waiting for idle clients. */
export async function openRouter(t: Owner, { config, ...options }: RouterOptions = {}): Promise<Router> {
  const keys = typeof config === 'object' ? config : {};
  const server = { drain: { requests: 0, tunnels: 0 }, ...(keys['server'] as object | undefined) };
  const router = await createRouter({ config: { ...keys, server }, ...options });
  t.after(() => router.close());
  return router;
}

/** The port of its first address. */
export function portOf({ addresses: [address = ''] }: Router): number {
  return Number(new URL(address).port);
}
