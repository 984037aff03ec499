import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AllFrontends } from '../../lib/admin/all-frontends.ts';
import { EditorError } from '../../lib/store/editor-error.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import {
  type FrontendPage,
  NO_DEATHS,
  type PageOptions,
  type RouteEditor,
  type StoredValue,
} from '../../lib/store/editor/route-editor.ts';
import { deferred } from '../support/deferred.ts';

const none = (key: string): StoredValue => ({ key, type: 'none', holds: [], length: 0, secondsLeft: null });

function page(from: number, many: number, next: string | null): FrontendPage {
  const entries = Array.from({ length: many }, (_, i) => {
    const key = `${from + i}.test`;
    const list = { key, type: 'list', holds: ['site', 'http://10.0.0.1'], length: 2, secondsLeft: null };
    return { key, list, dead: none(`dead:${key}`), marks: [], deaths: NO_DEATHS };
  });
  return { entries, next };
}

/** An editor whose pages come from a function. */
function editorWith(read: (options: PageOptions) => Promise<FrontendPage>): RouteEditor {
  const url = { scheme: 'file', path: '/nowhere.json' } as const;
  return Object.assign(openEditor(url, url, { timeoutMs: 1 }), { page: read });
}

test('those who ask at the same time, or soon after, share one walk of all pages', async () => {
  let walks = 0;
  const all = new AllFrontends(
    editorWith(({ cursor }) => {
      if (cursor === null) walks++;
      return Promise.resolve(cursor === null ? page(0, 1_000, 'more') : page(999, 500, null));
    }),
  );
  const [one, other] = await Promise.all([all.read(), all.read()]);
  assert.equal(one, other);
  assert.equal(one.frontends.length, 1_499, 'a key that was read twice counts once');
  assert.equal(one.isComplete, true);
  assert.equal(await all.read(), one);
  assert.equal(walks, 1);
});

test('after an edit nothing is used that was read, or begun to be read, before', async () => {
  const gate = deferred<void>();
  let walks = 0;
  const all = new AllFrontends(
    editorWith(async () => {
      const number = ++walks;
      if (number === 1) await gate.promise;
      return page(0, number, null);
    }),
  );
  const before = all.read();
  all.forget();
  assert.equal((await all.read()).frontends.length, 2);
  gate.resolve();
  assert.equal((await before).frontends.length, 1);
  assert.equal((await all.read()).frontends.length, 2);
  assert.equal(walks, 2);
});

test('no more than 20,000 frontends are read, and that is said', async () => {
  const all = new AllFrontends(
    editorWith(({ cursor }) => Promise.resolve(page(Number(cursor), 1_000, String(Number(cursor) + 1_000)))),
  );
  const { isComplete, frontends } = await all.read();
  assert.deepEqual([isComplete, frontends.length], [false, 20_000]);
});

test('a store that cannot be read is asked again by the next who asks', async () => {
  let walks = 0;
  const all = new AllFrontends(
    editorWith(() => {
      if (++walks === 1) return Promise.reject(new EditorError('store-unavailable', 'it does not reply'));
      return Promise.resolve(page(0, 1, null));
    }),
  );
  await assert.rejects(all.read(), { code: 'store-unavailable' });
  assert.equal((await all.read()).frontends.length, 1);
});
