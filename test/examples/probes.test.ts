/** examples/kubernetes and examples/systemd: their configurations work, and their probes get what they expect. */
// @one-lane: probes ask the admin interface
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../lib/config/load.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { adminOf } from '../support/admin.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { machine, write } from '../support/configurations.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { Router, temporaryFolder } from '../support/router.ts';

const read = (name: string): string => readFileSync(join(packageRoot, 'examples', name), 'utf8');
const run = promisify(execFile);

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly args: readonly string[];
  readonly envFrom: readonly { readonly secretRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly startupProbe: Probe;
}

/** What the objects of the example have of what is tested here. */
interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: { readonly 'hipache.json': string };
  readonly stringData: Readonly<Record<string, string>>;
  readonly spec: {
    readonly selector: unknown;
    readonly ports: readonly { readonly targetPort: string }[];
    readonly template: {
      readonly metadata: { readonly labels: unknown };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
      };
    };
  };
}

const objects = new Map(
  parseAllDocuments(read('kubernetes/hipache.yaml')).map((document) => {
    assert.deepEqual(document.errors, []);
    const object = document.toJS() as KubernetesObject;
    return [object.kind, object];
  }),
);

function kubernetes(kind: string): KubernetesObject {
  const object = objects.get(kind);
  assert.ok(object, kind);
  return object;
}

/** A router with an example's file, as it is but for where it listens, and one site; the drain's delay is shorter. */
async function startExample(t: TestContext, file: string) {
  const redis = await startRedis(t);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'hipache.json'), file);
  const env = {
    HIPACHE_HTTP_PORT: String(await freePort()),
    HIPACHE_ADMIN_PORT: String(await freePort()),
    HIPACHE_ADMIN_TOKEN: 'secret',
    HIPACHE_DRIVER: `redis://127.0.0.1:${redis.port}`,
    HIPACHE_SERVER_ACCESS_LOG: '-',
    HIPACHE_SERVER_DRAIN_DELAY: '2',
    ...(process.getuid?.() === 0 && { HIPACHE_USER: 'root' }),
  };
  const router = new Router(folder, ['--config', join(folder, 'hipache.json')], { env });
  t.after(() => router.stop());
  await router.event('ready');
  await adminOf(router);
  return { router, port: Number(env.HIPACHE_HTTP_PORT), adminPort: Number(env.HIPACHE_ADMIN_PORT) };
}

test("the objects of the example for Kubernetes refer to each other's names, labels and ports", () => {
  const { template, selector } = kubernetes('Deployment').spec;
  const { containers, volumes, terminationGracePeriodSeconds } = template.spec;
  const [container] = containers;
  assert.ok(container);
  const { args, ports, volumeMounts, envFrom } = container;
  assert.deepEqual(selector, { matchLabels: template.metadata.labels });
  assert.deepEqual(kubernetes('PodDisruptionBudget').spec.selector, selector);
  assert.deepEqual(kubernetes('Service').spec.selector, template.metadata.labels);
  const portOf = (name: string | undefined) => ports.find((port) => port.name === name)?.containerPort;
  const { config } = readConfig(write(kubernetes('ConfigMap').data['hipache.json']), {
    machine,
    env: kubernetes('Secret').stringData,
  });
  assert.equal(portOf(kubernetes('Service').spec.ports[0]?.targetPort), config.listeners[0]?.port);
  for (const { httpGet } of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    assert.deepEqual(config.admin?.places, [{ address: '0.0.0.0', port: portOf(httpGet.port) }]);
  const { delay, requests, tunnels } = config.server.drain;
  assert.ok(terminationGracePeriodSeconds >= delay + requests + tunnels + 5);
  assert.deepEqual(
    volumeMounts.map(({ name }) => name),
    volumes.map(({ name }) => name),
  );
  assert.equal(volumes[0]?.configMap?.name, kubernetes('ConfigMap').metadata.name);
  assert.equal(args[1], join(volumeMounts[0]?.mountPath ?? '', 'hipache.json'));
  assert.equal(envFrom[0]?.secretRef.name, kubernetes('Secret').metadata.name);
});

test('a pod of the example is ready, and from TERM on not ready while it still serves', async (t) => {
  const { router, port, adminPort } = await startExample(t, kubernetes('ConfigMap').data['hipache.json']);
  const [container] = kubernetes('Deployment').spec.template.spec.containers;
  assert.ok(container);
  const probe = async ({ httpGet: { path } }: Probe) => (await ask({ port: adminPort, path })).status;
  for (const each of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    assert.equal(await probe(each), 200);
  router.signal('SIGTERM');
  await eventually(async () => assert.equal(await probe(container.readinessProbe), 503));
  // Else the kubelet would end it early.
  assert.equal(await probe(container.livenessProbe), 200);
  assert.equal((await ask({ port })).body, 'hello');
  assert.equal(await router.exited(), 0);
});

test('the check of keepalived succeeds while the router is ready, and fails from TERM on while it still serves', async (t) => {
  const { router, port, adminPort } = await startExample(t, read('systemd/hipache.json'));
  const [, script = ''] = /^ +script "(.*)"$/m.exec(read('systemd/keepalived.conf')) ?? [];
  const [command = '', ...args] = script.replace(':8081/', `:${adminPort}/`).split(' ');
  const check = async () => await run(command, args);
  await check();
  router.signal('SIGTERM');
  await eventually(() => assert.rejects(check(), { code: 22 }));
  assert.equal((await ask({ port })).body, 'hello');
  assert.equal(await router.exited(), 0);
  await assert.rejects(check(), { code: 7 });
});

test('keepalived asks the port of the admin interface, and moves the address when the check fails', () => {
  const { config } = readConfig(write(read('systemd/hipache.json')), { machine });
  const keepalived = read('systemd/keepalived.conf');
  const number = (pattern: RegExp): number => Number(pattern.exec(keepalived)?.[1]);
  assert.deepEqual(config.admin?.places, [{ address: '127.0.0.1', port: number(/127\.0\.0\.1:(\d+)\//) }]);
  assert.ok(number(/^ +priority (\d+)$/m) + number(/^ +weight (-\d+)$/m) < number(/"priority (\d+)"/));
  // The address moves before the port closes.
  assert.ok(number(/^ +interval (\d+)$/m) * (number(/^ +fall (\d+)$/m) + 1) <= config.server.drain.delay);
  const stopLimit = /^TimeoutStopSec=(\d+)$/m.exec(readFileSync(join(packageRoot, 'hipache.service'), 'utf8'))?.[1];
  const { delay, requests, tunnels } = config.server.drain;
  assert.ok(delay + requests + tunnels < Number(stopLimit));
});
