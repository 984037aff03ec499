/** examples/compose: its files are consistent, and its services serve as processes, with the same files. */
// @one-lane: it is about what runs beside each other
// @waits: for Sentinels and health checks
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../lib/config/config.ts';
import { readConfig } from '../../lib/config/load.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { hipache } from '../support/command.ts';
import { Composed, environmentOf, readCompose } from '../support/compose.ts';
import { machine } from '../support/configurations.ts';
import { eventually } from '../support/eventually.ts';
import { noHaproxy } from '../support/load-balancers.ts';
import { noProc } from '../support/processes.ts';

const EXAMPLE = join(packageRoot, 'examples/compose');
const read = (name: string): string => readFileSync(join(EXAMPLE, name), 'utf8');
/** How long a failover and health checks take on a busy machine, ms. */
const PATIENCE_MS = 40_000;

const { services, volumes } = readCompose(read('compose.yaml'));
/** The configuration that a router's service has, by its file and its environment. */
const configOf = (name: string): Config =>
  readConfig(join(EXAMPLE, 'hipache.json'), { machine, env: environmentOf(services[name]) }).config;
const addressOf = (name: string): string => services[name]?.networks.fleet.ipv4_address ?? '';
const namesLike = (pattern: RegExp): readonly string[] => Object.keys(services).filter((name) => pattern.test(name));

test('the files that compose.yaml mounts are there, and so are its volumes', () => {
  for (const [name, service] of Object.entries(services)) {
    for (const volume of service.volumes ?? []) {
      const [from = ''] = volume.split(':');
      assert.ok(from.startsWith('./') ? existsSync(join(EXAMPLE, from)) : from in volumes, `${name}: ${volume}`);
    }
  }
});

test('no two services have one address, and the addresses and ports of the other files are those of services', () => {
  const addresses = Object.keys(services).map(addressOf);
  assert.equal(new Set(addresses).size, addresses.length);
  const haproxy = read('haproxy.cfg');
  const routers = namesLike(/^router/);
  for (const [i, name] of routers.entries()) {
    const { listeners, admin } = configOf(name);
    const [listener] = listeners;
    assert.match(haproxy, new RegExp(`^  server router${i + 1} ${addressOf(name)}:${listener?.port}$`, 'm'));
    assert.equal(listener?.address, addressOf(name));
    const port = Number(/ check port (\d+) /.exec(haproxy)?.[1]);
    assert.deepEqual(admin?.places, [{ address: addressOf(name), port }]);
  }
  assert.equal([...haproxy.matchAll(/^ +server /gm)].length, routers.length);
  const [, bind] = /^ +bind (\S+)$/m.exec(haproxy) ?? [];
  assert.equal(bind, `${addressOf('haproxy')}:${services['haproxy']?.ports?.[0]?.split(':')[1]}`);
  const sentinels = namesLike(/^sentinel/).map((name) => `${addressOf(name)}:26379`);
  assert.ok(read('hipache.json').includes(`redis+sentinel://${sentinels.join(',')}/mymaster/0`));
  assert.match(
    read('sentinel.conf'),
    new RegExp(`^port 26379$[^]*^sentinel monitor mymaster ${addressOf('redis-1')} `, 'm'),
  );
  assert.ok(read('hipache.json').includes(`"trustedProxies": ["${addressOf('haproxy')}"]`));
});

test('a router has the time to drain', () => {
  for (const name of namesLike(/^router/)) {
    const { delay, requests, tunnels } = configOf(name).server.drain;
    assert.ok(Number.parseInt(services[name]?.stop_grace_period ?? '', 10) >= delay + requests + tunnels, name);
  }
});

test(
  'the services serve, and go on when a router stops, another is killed, and the master is killed',
  { skip: noHaproxy || noProc },
  async (t) => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'));
    const composed = await Composed.of(t, EXAMPLE, ['6379', '26379', '8080', '8081', '8000']);
    for (const name of composed.services) composed.start(name);
    const own = (address: string): string => composed.own(address);
    const driver = /"driver": "(\S+)"/.exec(read('hipache.json'))?.[1] ?? '';
    await eventually(async () => {
      const { status, stderr } = await hipache([
        'route',
        'set',
        'site.test',
        'site',
        backend.url,
        '--driver',
        own(driver),
      ]);
      assert.equal(status, 0, stderr);
    }, PATIENCE_MS);
    const address = own(addressOf('haproxy'));
    const port = Number(own('8000'));
    const assertServes = async (): Promise<void> => {
      const { status, body } = await ask({ address, port, host: 'site.test' });
      assert.deepEqual([status, body], [200, 'hello']);
    };
    const isReady = async (name: string): Promise<void> => {
      const answer = await ask({ address: own(addressOf(name)), port: Number(own('8081')), path: '/readyz?strict=1' });
      assert.equal(answer.status, 200);
    };
    await eventually(async () => {
      await assertServes();
      await isReady('router-1');
      await isReady('router-2');
    }, PATIENCE_MS);

    const stopped = composed.end('router-1', 'SIGTERM');
    const ended = new AbortController();
    void stopped.finally(() => ended.abort());
    while (!ended.signal.aborted) await assertServes();
    assert.equal(await stopped, 0);
    composed.start('router-1');
    await eventually(() => isReady('router-1'), PATIENCE_MS);
    // HAProxy sees it up with its next check.
    await eventually(
      () => composed.output.some((text) => /Server routers\/router1 is UP/.test(text)) || assert.fail(),
      PATIENCE_MS,
    );
    await composed.end('router-2', 'SIGKILL');
    for (let i = 0; i < 20; i++) await assertServes();

    await composed.end('redis-1', 'SIGKILL');
    await eventually(() => assert.rejects(isReady('router-1')));
    await assertServes();
    await eventually(() => isReady('router-1'), PATIENCE_MS);
    composed.start('redis-1');
    await assertServes();
  },
);
