/** Three routers with one store, as docs/how-to/load-balancer.md has them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { adminOf } from './admin.ts';
import { fencesOf } from './markdown.ts';
import { freePort } from './ports.ts';
import { type Router, startRouter } from './router.ts';

const document = readFileSync(join(packageRoot, 'docs/how-to/load-balancer.md'), 'utf8');

/** The document's recipe in this language. */
export function recipe(language: string): string {
  const fence = fencesOf(document).find((each) => each.language === language);
  assert.ok(fence !== undefined, language);
  return fence.lines.join('\n');
}

export interface Fleet {
  readonly routers: readonly Router[];
  /** Where each serves; they have one port. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** A recipe with the addresses and ports of this fleet in the place of its own. */
  readonly withOwn: (text: string) => string;
  /** Starts a router at one of the addresses, where none runs. */
  readonly startAt: (address: string) => Promise<Router>;
}

/** Starts them; they are ended after the test. */
export async function startFleet(t: TestContext, driver: string, workers = 1): Promise<Fleet> {
  const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  const [port, adminPort] = [await freePort(), await freePort()];
  const startAt = async (address: string): Promise<Router> => {
    const http = { port, bind: [address] };
    const config = { driver, http, admin: { bind: address, port: adminPort, token: 'secret' } };
    const router = await startRouter(t, { config, server: { workers, trustedProxies: ['127.0.0.1'] } });
    await adminOf(router);
    return router;
  };
  const routers = await Promise.all(addresses.map(startAt));
  const withOwn = (text: string): string =>
    text
      .replaceAll('10.0.0.', '127.0.0.')
      .replaceAll(/(127\.0\.0\.\d):80\b/g, `$1:${port}`)
      .replaceAll('8081', String(adminPort));
  return { routers, addresses, port, withOwn, startAt };
}
