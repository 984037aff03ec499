/** Starts the backends of tenant A. */
import { childCommand } from '../child.ts';
import { freePort, untilAnswered } from '../ports.ts';
import type { Processes } from '../processes.ts';
import { YIELDING } from './yielding.ts';
import { BEHAVIOURS, type TenantBackends } from './tenants.ts';

type Ours = (typeof BEHAVIOURS)[number];

/** @throws when they do not respond in time */
export async function startTenant(processes: Processes, cores: readonly number[]): Promise<TenantBackends> {
  const ports: number[] = [];
  for (const _ of BEHAVIOURS) ports.push(await freePort());
  const refusing = await freePort();
  const child = await processes.start([...YIELDING, ...childCommand('tenant', ...ports.map(String))], cores);
  await untilAnswered({ port: ports[0] ?? 0, host: 'a', path: '/', tls: false, http2: false }, () => child.hasEnded);
  // Two, so that one of them is marked dead, and the requests try both.
  const refuse = ['127.0.0.1', '127.0.0.2'].map((address) => `http://${address}:${refusing}`);
  const urlOf = (name: Ours): readonly string[] => [`http://127.0.0.1:${ports[BEHAVIOURS.indexOf(name)]}`];
  return {
    refuse,
    ...(Object.fromEntries(BEHAVIOURS.map((name) => [name, urlOf(name)])) as Record<Ours, readonly string[]>),
  };
}
