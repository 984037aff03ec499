/** The OpenAPI document of the admin interface, and a running router that keeps to it. */
// @one-lane: the admin interface is a process of its own
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { allRequests } from '../../lib/admin/all-requests.ts';
import { EventLog } from '../../lib/admin/event-log.ts';
import { openApi } from '../../lib/admin/openapi.ts';
import { SCHEMAS } from '../../lib/admin/openapi-schemas.ts';
import { Deploys } from '../../lib/admin/deploys.ts';
import { Totals } from '../../lib/admin/totals.ts';
import { WorkersFleet } from '../../lib/admin/workers-fleet.ts';
import { WorkerQueries } from '../../lib/admin/workforce.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { version } from '../../lib/core/version.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { adminOf, type AdminAnswer, type AdminAsk, askAdmin } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { fileOwner } from '../support/file-owner.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content; readonly headers?: object }>>;
}
type Content = Readonly<Record<string, { readonly schema: { readonly $ref?: string } }>>;
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const document = openApi(version) as unknown as Document;
const owner = fileOwner();
const redis = await startRedis(owner);
const driver = `redis://127.0.0.1:${redis.port}`;
const router = await startRouter(owner, { config: { driver, admin: { port: 0 } } });
const admin = await adminOf(router);
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
// OpenAPI's own word, which holds the schemas.
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'admin', components: { schemas: SCHEMAS } });

/** Checks a value by one of the document's schemas. */
function conforms(ref: string, value: unknown, where: string): void {
  const isValid = ajv.validate({ $ref: `admin${ref}` }, value);
  assert.ok(isValid, `${where}: ${ajv.errorsText()}\n${JSON.stringify(value)}`);
}

const seen = new Set<string>();

/** Sends a request, and checks body and response by the document. @param path with {host} */
async function asked(
  method: string,
  path: string,
  status: number,
  query = '',
  more: AdminAsk = {},
): Promise<AdminAnswer> {
  const where = `${method} ${path} ${status}`;
  const operation = document.paths[path]?.[method.toLowerCase()];
  assert.ok(operation !== undefined, where);
  for (const [name] of new URLSearchParams(query)) {
    assert.ok(
      operation.parameters?.some((each) => each.name === name && each.in === 'query'),
      `${where} ${name}`,
    );
  }
  const sent = operation.requestBody?.content['application/json']?.schema.$ref;
  assert.equal(sent !== undefined, more.body !== undefined, where);
  if (sent !== undefined && status < 400) conforms(sent, more.body, where);
  const target = `${path.replace('{host}', 'www.x.io')}?${query}`;
  const answer = await askAdmin(admin, target, { method, ...more });
  assert.equal(answer.status, status, `${where}: ${answer.text}`);
  const response = operation.responses[status] ?? operation.responses['default'];
  const type = answer.headers['content-type'];
  if (response?.content === undefined) assert.equal(answer.text, '', where);
  else {
    const schema = response.content[String(type)]?.schema;
    assert.ok(schema !== undefined, `${where}: ${String(type)}`);
    if (schema.$ref !== undefined) conforms(schema.$ref, answer.json, where);
  }
  if (response?.headers !== undefined) assert.match(String(answer.headers['etag']), /^".+"$/);
  if (status < 400) seen.add(`${method} ${path}`);
  return answer;
}

test('the document has every kind of request, and no other', async (t) => {
  const editor = openEditor({ scheme: 'file', path: '/none' }, { scheme: 'file', path: '/none' }, { timeoutMs: 1 });
  t.after(() => editor.close());
  const workerQueries = new WorkerQueries(
    () => {},
    () => {},
  );
  const config = loadConfig(join(packageRoot, 'config/config.json'));
  const requests = allRequests({
    config,
    editor,
    workerQueries,
    totals: new Totals(config.metrics, () => 0),
    dashboard: { html: Buffer.alloc(0), headers: {} },
    events: new EventLog(),
    fleet: new WorkersFleet(workerQueries),
    deploys: new Deploys(() => {}),
  });
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace('{host}', 'HOST')}`),
  );
  assert.deepEqual(described.toSorted(), Object.keys(requests).toSorted());
  assert.equal(document.openapi, '3.1.0');
});

test('docs/openapi.json is the document that a router serves', async () => {
  const served = await asked('GET', '/api/v1/openapi.json', 200);
  assert.deepEqual(served.json, JSON.parse(readFileSync(join(packageRoot, 'docs/openapi.json'), 'utf8')));
});

test('requests and responses of a running router conform to the schemas of the document', async (t) => {
  const backend = await startBackend(t, says('one'));
  const frontend = '/api/v1/frontends/{host}';
  await asked('PUT', frontend, 201, '', { body: { name: 'site', backends: [backend.url] } });
  await asked('PUT', frontend, 200, 'force=', { body: ['site', backend.url, 'http://127.0.0.1:1'] });
  for (let i = 0; i < 4; i++) await ask({ port: router.port, host: 'www.x.io' });
  await asked('PUT', frontend, 400, '', { body: { name: 1 } });
  const etag = { 'If-Match': '"other"' };
  await asked('PUT', frontend, 412, '', { headers: etag, body: ['site'] });
  await asked('DELETE', frontend, 412, '', { headers: etag });
  await asked('POST', `${frontend}/backends`, 201, '', { body: { url: 'http://127.0.0.1:2' } });
  await asked('POST', `${frontend}/backends`, 200, '', { body: { url: 'http://127.0.0.1:2', name: 'site' } });
  await asked('DELETE', `${frontend}/backends`, 200, 'url=http://127.0.0.1:2');
  await asked('DELETE', `${frontend}/backends`, 404, 'url=http://127.0.0.1:3');
  for (const [name, body] of [
    ['options', { strip: 1, maintenance: null }],
    ['headers', { 'response:Server': '' }],
    ['weights', { [backend.url]: 10 }],
    ['checks', { path: '/', interval: 300 }],
  ] as const) {
    await asked('PATCH', `${frontend}/${name}`, 200, '', { body });
    await asked('GET', `${frontend}/${name}`, 200);
  }
  await asked('PATCH', `${frontend}/options`, 400, '', { body: { none: 1 } });
  await redis.cli('sadd', 'dead:www.x.io', 0);
  await redis.cli('rpush', 'frontend:bad.x.io', 'x', 'no url');
  await redis.cli('rpush', 'frontend:WWW.x.io', 'x', 'http://a');
  await asked('GET', frontend, 200);
  await asked('GET', '/api/v1/frontends', 200, 'limit=1&match=x.io');
  await asked('GET', '/api/v1/frontends', 400, 'limit=x');
  await asked('GET', `${frontend}/explain`, 200, 'path=/a&scheme=https');
  await asked('GET', `${frontend}/explain`, 200);
  await asked('GET', '/api/v1/summary', 200, 'sort=key&state=all&from=0&limit=10&match=x');
  await asked('DELETE', `${frontend}/dead`, 204, 'url=http://a');
  await asked('POST', `${frontend}/deploy`, 202, '', { body: { backends: [backend.url], wait: 20, drain: 5 } });
  await asked('GET', `${frontend}/deploy`, 200);
  for (const path of ['workers', 'fleet', 'changes', 'events', 'live']) await asked('GET', `/api/v1/${path}`, 200);
  for (const path of ['/', '/healthz', '/readyz', '/metrics']) await asked('GET', path, 200);
  await asked('POST', '/api/v1/cache/drop', 200, 'host=www.x.io');
  await asked('DELETE', frontend, 204);
  await asked('GET', frontend, 404);
  await asked('GET', `${frontend}/explain`, 200);
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(
    all.filter((each) => !seen.has(each)),
    [],
  );
});
