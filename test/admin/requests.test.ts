import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, type Asked } from '../../lib/admin/reply.ts';
import { dispatcher } from '../../lib/admin/requests.ts';

const dispatch = dispatcher({
  'GET /a': () => text('a'),
  'GET /hosts/HOST': (_asked, host) => text(`get ${host}`),
  'PUT /hosts/HOST': (_asked, host) => text(`put ${host}`),
  'GET /hosts/HOST/why': (_asked, host) => text(`why ${host}`),
});

async function answer(method: string, path: string): Promise<unknown> {
  const asked: Asked = { method, path, query: new URLSearchParams(), headers: {}, body: async () => null };
  return (await dispatch(asked)).body;
}

test('a request finds who answers it, by its method and its whole path', async () => {
  assert.equal(await answer('GET', '/a'), 'a');
  assert.equal(await answer('PUT', '/hosts/x.io'), 'put x.io');
  assert.equal(await answer('GET', '/hosts/x.io/why'), 'why x.io');
  for (const path of ['/', '/a/', '/A', '/hosts/', '/hosts/x/y', '/hosts/x/why/'])
    await assert.rejects(answer('GET', path), { status: 404, code: 'not-found' }, path);
});

test('hosts are decoded', async () => {
  assert.equal(await answer('GET', '/hosts/%2A.x.io'), 'get *.x.io');
  assert.equal(await answer('GET', '/hosts/a%2Fb'), 'get a/b');
  await assert.rejects(answer('GET', '/hosts/%E0'), { status: 400, code: 'bad-target' });
});

test('a method that is not taken is told which are', async () => {
  await assert.rejects(answer('POST', '/hosts/x.io'), { status: 405, headers: { Allow: 'GET, PUT' } });
});
