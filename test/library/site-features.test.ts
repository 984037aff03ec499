/** A site feature of one's own, in the table of one router. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type LookupStore, RouterError, type RouterEvent, siteFeature } from '../../lib/library/index.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { openRouter, portOf } from '../support/library.ts';
import { startRedis } from '../support/redis.ts';
import { temporaryFolder } from '../support/router.ts';

const office = siteFeature<{ readonly hours: string | null }>({
  fields: { officeHours: (text) => (/^[0-9]{2}-[0-9]{2}$/.test(text) ? { hours: text } : 'it must be hours: 08-17') },
  defaults: { hours: null },
  behaviour: ({ hours }) => ({
    admit: ({ path }) =>
      path === '/open' ? null : { type: 'refused', error: new RouterError('maintenance', `open ${hours}`) },
    request: (fields) => [...fields, 'X-Hours', hours ?? ''],
    response: (fields) => [...fields, 'X-Office', 'yes'],
  }),
});

for (const place of ['memory', 'file', 'redis', 'store'] as const) {
  test(`it acts on the sites that have its option, with routes in ${place}`, async (t) => {
    const backend = await startBackend(t, (request, response) => response.end(request.headers['x-hours'] ?? 'none'));
    const events: RouterEvent[] = [];
    const lists = { 'site.test': ['site', backend.url], 'free.test': ['free', backend.url] };
    const routes = { ...lists, 'options:site.test': { officeHours: '08-17' } };
    const options = { 'site.test': { officeHours: '08-17' }, 'free.test': {} };
    const store: LookupStore = {
      find: async ([host]) => {
        if (host !== 'site.test' && host !== 'free.test') return null;
        return { key: host, list: lists[host], options: options[host] };
      },
    };
    const driver = async (): Promise<string> => {
      if (place === 'file') {
        const path = join(temporaryFolder(t), 'routes.json');
        writeFileSync(path, JSON.stringify(routes));
        return `file:${path}`;
      }
      const redis = await startRedis(t);
      for (const [key, list] of Object.entries(lists)) await redis.cli('rpush', `frontend:${key}`, ...list);
      await redis.cli('hset', 'options:site.test', 'officeHours', '08-17');
      return `redis://127.0.0.1:${redis.port}`;
    };
    const router = await openRouter(t, {
      features: [office],
      onEvent: (event) => events.push(event),
      ...(place === 'memory' && { routes }),
      ...(place === 'store' && { store }),
      ...(['file', 'redis'].includes(place) && { config: { driver: await driver() } }),
    });
    const port = portOf(router);
    const open = await ask({ port, path: '/open' });
    assert.deepEqual([open.status, open.body, open.headers['x-office']], [200, '08-17', 'yes']);
    const closed = await ask({ port });
    assert.deepEqual([closed.status, closed.headers['x-router-error']], [503, 'maintenance']);
    assert.equal((await ask({ port, host: 'free.test' })).body, 'none');
    const { answer, beside } = await router.explain('site.test');
    assert.deepEqual([answer.kind, answer.status], ['refused', 503]);
    assert.deepEqual(
      beside.flatMap(({ faults }) => faults),
      [],
    );
    assert.deepEqual(
      events.filter(({ event }) => event === 'route-fault'),
      [],
    );
  });
}

test('another router does not have it, and reports the option', async (t) => {
  const backend = await startBackend(t, says('hello'));
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': { officeHours: 'never' } };
  const events: RouterEvent[] = [];
  const onEvent = ({ event, msg }: RouterEvent): void => void (event === 'route-fault' && events.push(msg as never));
  const without = await openRouter(t, { routes, onEvent });
  const withIt = await openRouter(t, { routes, onEvent, features: [office] });
  for (const router of [without, withIt]) assert.equal((await ask({ port: portOf(router) })).body, 'hello');
  assert.deepEqual(events, [
    'options:site.test: option "officeHours": there is no such option',
    'options:site.test: option "officeHours": it must be hours: 08-17',
  ]);
});
