/** What every editor promises, run by each of them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { candidates } from '../../lib/core/routing/hostname.ts';
import type { StoredFrontend, RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { fieldsOf } from '../../lib/store/fields.ts';

/** Books on the same, empty store: the second as another process would have it. */
export interface BookSubject {
  readonly editor: RouteEditor;
  readonly other: RouteEditor;
}

export function bookContract(bookName: string, open: (t: TestContext) => Promise<BookSubject>): void {
  const promise = (what: string, check: (subject: BookSubject) => Promise<void>): void => {
    void test(`${bookName}: ${what}`, async (t) => check(await open(t)));
  };

  promise('what was written stands there, and can be looked at by its candidates', async ({ editor, other }) => {
    assert.deepEqual(await editor.replace('*.x.io', LIST), { before: null, after: LIST });
    const { lists, dead } = await other.look(candidates('www.x.io'), 'www.x.io');
    assert.deepEqual(
      lists.map(({ type, holds, length, secondsLeft }) => ({ type, holds, length, secondsLeft })),
      [NOTHING, { type: 'list', holds: LIST, length: 3, secondsLeft: null }, NOTHING, NOTHING],
    );
    assert.deepEqual({ type: dead.type, holds: dead.holds }, { type: 'none', holds: [] });
  });

  promise('a change sees what stands there, and says what it has done', async ({ editor }) => {
    await editor.replace('www.x.io', LIST);
    const after = [...LIST, 'http://10.0.0.3'];
    assert.deepEqual(await editor.change('www.x.io', (list) => [...list, 'http://10.0.0.3']), { before: LIST, after });
    assert.deepEqual(await listOf(editor, 'www.x.io'), after);
  });

  promise('the same list means that nothing is done, null that the frontend goes', async ({ editor }) => {
    await editor.replace('www.x.io', LIST);
    assert.deepEqual(await editor.change('www.x.io', (list) => list), { before: LIST, after: LIST });
    assert.deepEqual(await editor.change('www.x.io', () => null), { before: LIST, after: null });
    assert.equal(await listOf(editor, 'www.x.io'), null);
    assert.deepEqual(await editor.change('www.x.io', (list) => list), { before: null, after: null });
  });

  promise('what an edit throws ends it, and nothing is written', async ({ editor }) => {
    await editor.replace('www.x.io', LIST);
    const stop = new Error('stop');
    await assert.rejects(
      editor.change('www.x.io', () => {
        throw stop;
      }),
      stop,
    );
    assert.deepEqual(await listOf(editor, 'www.x.io'), LIST);
    await editor.change('www.x.io', ([first = '']) => [first]);
    assert.deepEqual(await listOf(editor, 'www.x.io'), ['site']);
  });

  promise('removing says what stood there; what is not there is no fault', async ({ editor, other }) => {
    await editor.replace('www.x.io', LIST);
    assert.deepEqual(await editor.remove('www.x.io'), { before: LIST, after: null });
    assert.equal(await listOf(other, 'www.x.io'), null);
    assert.deepEqual(await editor.remove('www.x.io'), { before: null, after: null });
  });

  promise('a list that can be none is refused, and nothing is written', async ({ editor }) => {
    await editor.replace('www.x.io', LIST);
    const long = Array.from({ length: 10_001 }, (_, i) => `http://h${i}`);
    for (const list of [[], long]) {
      await assert.rejects(editor.replace('www.x.io', list), { code: 'bad-list' });
      await assert.rejects(
        editor.change('www.x.io', () => list),
        { code: 'bad-list' },
      );
    }
    assert.deepEqual(await listOf(editor, 'www.x.io'), LIST);
    await editor.replace('www.x.io', long.slice(1));
    assert.equal((await listOf(editor, 'www.x.io'))?.length, 10_000);
  });

  promise('odd names and elements come back as they were written', async ({ editor }) => {
    const list = ['a "name" with \\ and\nlines, é', ' http://10.0.0.1 ', ''];
    for (const key of ['a b', '__proto__', 'x"y\\z', '*']) {
      await editor.replace(key, list);
      assert.deepEqual(await listOf(editor, key), list);
    }
    assert.deepEqual((await all(editor, 100)).map(({ key }) => key).toSorted(), ['*', '__proto__', 'a b', 'x"y\\z']);
  });

  promise('pages bring every frontend, and end', async ({ editor }) => {
    const keys = Array.from({ length: 57 }, (_, i) => `h${i}.x.io`);
    for (const key of keys) await editor.replace(key, LIST);
    assert.equal((await editor.page({ cursor: null, limit: 0, match: '' })).entries.length, 1);
    for (const limit of [1, 10, 57, 1000]) {
      const entries = await all(editor, limit);
      assert.deepEqual([...new Set(entries.map(({ key }) => key))].toSorted(), keys.toSorted());
      assert.deepEqual(entries[0]?.list.holds, LIST);
    }
    const some = await all(editor, 10, '1.x.');
    assert.deepEqual(
      new Set(some.map(({ key }) => key)),
      new Set(['h1', 'h11', 'h21', 'h31', 'h41', 'h51'].map((h) => `${h}.x.io`)),
    );
    assert.deepEqual(await all(editor, 10, '*'), []);
  });

  promise('a frontend that goes between two pages costs no other its place', async ({ editor }) => {
    const keys = Array.from({ length: 40 }, (_, i) => `h${i}.x.io`);
    for (const key of keys) await editor.replace(key, LIST);
    const first = await editor.page({ cursor: null, limit: 10, match: '' });
    for (const { key } of first.entries) await editor.remove(key);
    const seen = new Set(first.entries.map(({ key }) => key));
    for (let { next } = first; next !== null;) {
      const page = await editor.page({ cursor: next, limit: 10, match: '' });
      for (const { key } of page.entries) seen.add(key);
      ({ next } = page);
    }
    assert.deepEqual([...seen].toSorted(), keys.toSorted());
  });

  promise('a cursor that nobody gave out is refused', async ({ editor }) => {
    await editor.replace('www.x.io', LIST);
    for (const cursor of ['x', '', Buffer.from('[1]').toString('base64url'), Buffer.from('{}').toString('base64url')]) {
      await assert.rejects(editor.page({ cursor, limit: 10, match: '' }), { code: 'bad-cursor' });
    }
  });

  promise('keys that look like a host are found, in whatever spelling', async ({ editor }) => {
    const spellings = ['WWW.x.io', 'Www.X.io', 'www.x.io.', 'www.x.io ', ' www.x.io', 'www.x.io:80', 'http://www.x.io'];
    const wild = ['.x.io', '*x.io', '*.x.io.', '*.X.IO', '.www.x.io'];
    for (const key of [...spellings, ...wild, 'other.io']) await editor.replace(key, LIST);
    const found = await editor.near('www.x.io');
    for (const key of [...spellings, ...wild])
      assert.ok(
        found.some((each) => each.endsWith(key)),
        `"${key}"`,
      );
    assert.ok(!found.some((each) => each.endsWith('other.io')));
  });

  promise('two who edit the same frontend lose nothing', async ({ editor, other }) => {
    await editor.replace('www.x.io', ['site']);
    const add = async (by: RouteEditor, host: string): Promise<void> => {
      for (const url of urls(host)) await by.change('www.x.io', (list) => [...list, url]);
    };
    await Promise.all([add(editor, 'a'), add(other, 'b'), add(editor, 'c')]);
    const [name, ...rest] = (await listOf(editor, 'www.x.io')) ?? [];
    assert.equal(name, 'site');
    assert.deepEqual(rest.toSorted(), [...urls('a'), ...urls('b'), ...urls('c')].toSorted());
  });

  promise('whoever reads sees the list before or after an edit, never less', async ({ editor, other }) => {
    const lists = [LIST, ['other', ...Array.from({ length: 30 }, (_, i) => `http://10.1.0.${i}`)]] as const;
    await editor.replace('www.x.io', lists[0]);
    const done = new AbortController();
    const seen = new Set<string>();
    const reading = (async () => {
      while (!done.signal.aborted) seen.add(JSON.stringify(await listOf(other, 'www.x.io')));
    })();
    for (let i = 1; i <= 200; i++) await editor.replace('www.x.io', lists[i % 2] ?? []);
    done.abort();
    await reading;
    assert.deepEqual(
      [...seen].filter((text) => !lists.some((list) => JSON.stringify(list) === text)),
      [],
    );
  });

  promise('options are changed field by field, and come back as they were written', async ({ editor, other }) => {
    const set = async (changes: Readonly<Record<string, string | null>>, key = 'www.x.io'): Promise<unknown> => {
      const { before, after } = await editor.changeFields('options', key, new Map(Object.entries(changes)));
      return [Object.fromEntries(before), Object.fromEntries(after)];
    };
    const held = async (key = 'www.x.io'): Promise<unknown> => {
      const [side] = await other.sides('options', [key]);
      return side?.type === 'none' ? null : [side?.type, side?.length, Object.fromEntries(fieldsOf(side?.holds ?? []))];
    };
    assert.deepEqual(await held(), null);
    assert.deepEqual(await set({ hsts: '1', prepend: '/é "\\' }), [{}, { hsts: '1', prepend: '/é "\\' }]);
    assert.deepEqual(await held(), ['hash', 2, { hsts: '1', prepend: '/é "\\' }]);
    assert.deepEqual(await set({ hsts: null, none: null, state: 'live' }), [
      { hsts: '1', prepend: '/é "\\' },
      { prepend: '/é "\\', state: 'live' },
    ]);
    assert.deepEqual(await set({}), [
      { prepend: '/é "\\', state: 'live' },
      { prepend: '/é "\\', state: 'live' },
    ]);
    await set({ state: null, prepend: null });
    assert.deepEqual(await held(), null);
    await set({ __proto__x: 'y' }, '*');
    await set({ strip: '1' }, 'www.x.io/api');
    assert.deepEqual(await held('www.x.io/api'), ['hash', 1, { strip: '1' }]);
    assert.deepEqual(await metadataKeysOf(other), ['options:*', 'options:www.x.io/api']);
    await editor.replace('www.x.io', LIST);
    assert.deepEqual(await held('*'), ['hash', 1, { __proto__x: 'y' }]);
  });

  promise('header fields are changed apart from options', async ({ editor, other }) => {
    await editor.changeFields('options', 'www.x.io', new Map([['hsts', '5']]));
    const changes = new Map([
      ['response:X-A', 'b=c'],
      ['response:Server', ''],
    ]);
    const { before, after } = await editor.changeFields('headers', 'www.x.io', changes);
    assert.deepEqual([before, after], [new Map(), changes]);
    await editor.changeFields('headers', 'www.x.io', new Map([['response:X-A', null]]));
    const [headers] = await other.sides('headers', ['www.x.io']);
    assert.deepEqual([headers?.type, headers?.length, headers?.holds], ['hash', 1, ['response:Server', '']]);
    const [options] = await other.sides('options', ['www.x.io']);
    assert.deepEqual(options?.holds, ['hsts', '5']);
    assert.deepEqual(await metadataKeysOf(other), ['headers:www.x.io', 'options:www.x.io']);
  });

  promise('two who change different options lose nothing', async ({ editor, other }) => {
    const fields = Array.from({ length: 20 }, (_, i) => `f${i}`);
    await Promise.all(
      fields.map((field, i) =>
        (i % 2 === 0 ? editor : other).changeFields('options', 'www.x.io', new Map([[field, field]])),
      ),
    );
    const [side] = await editor.sides('options', ['www.x.io']);
    assert.deepEqual([...fieldsOf(side?.holds ?? []).keys()].toSorted(), fields.toSorted());
  });

  promise(
    'a frontend with a path is among the prefixes of its host as long as it is there',
    async ({ editor, other }) => {
      const prefixes = async (): Promise<readonly string[]> => {
        const [side] = await other.sides('prefixes', ['www.x.io']);
        assert.equal(side?.length, side?.holds.length);
        return (side?.holds ?? []).toSorted();
      };
      assert.deepEqual(await prefixes(), []);
      await editor.replace('www.x.io', LIST);
      await editor.replace('www.x.io/api', LIST);
      await editor.change('www.x.io/api/v2', () => LIST);
      await editor.change('www.x.io/api', (list) => [...list, 'http://c']);
      assert.deepEqual(await prefixes(), ['/api', '/api/v2']);
      assert.deepEqual(await other.prefixesAmong('www.x.io', ['/a', '/api/v2', '/api/v2/x']), ['/api/v2']);
      assert.deepEqual(await other.prefixesAmong('x.io', ['/api']), []);
      // No request can match these.
      for (const key of ['www.x.io/', 'www.x.io/a/', 'www.x.io//b', 'www.x.io/a b']) await editor.replace(key, LIST);
      assert.deepEqual(await prefixes(), ['/api', '/api/v2']);
      await editor.remove('www.x.io');
      assert.deepEqual(await prefixes(), ['/api', '/api/v2']);
      await editor.remove('www.x.io/api');
      assert.deepEqual(await prefixes(), ['/api/v2']);
      await editor.change('www.x.io/api/v2', () => null);
      assert.deepEqual(await prefixes(), []);
      assert.deepEqual((await other.sides('prefixes', ['www.x.io']))[0]?.type, 'none');
    },
  );

  promise('an editor that was closed answers nobody, and may be closed again', async ({ editor }) => {
    await editor.replace('www.x.io', LIST);
    await editor.close();
    await editor.close();
  });
}

/** Twenty backends. */
function urls(host: string): readonly string[] {
  return Array.from({ length: 20 }, (_, i) => `http://${host}${i}`);
}

/** A list of two backends. */
export const LIST: readonly string[] = ['site', 'http://10.0.0.1:80', 'http://10.0.0.2:80'];
const NOTHING = { type: 'none', holds: [], length: 0, secondsLeft: null };

/** What stands under a key; null when nothing does. */
export async function listOf(editor: RouteEditor, key: string): Promise<readonly string[] | null> {
  const { lists } = await editor.look([key], key);
  return lists[0]?.type === 'list' ? lists[0].holds : null;
}

/** All pages' entries. */
export async function all(editor: RouteEditor, limit: number, match = ''): Promise<readonly StoredFrontend[]> {
  const entries: StoredFrontend[] = [];
  for (let cursor: string | null = null; ;) {
    const page = await editor.page({ cursor, limit, match });
    assert.ok(page.entries.length <= limit);
    entries.push(...page.entries);
    if (page.next === null) return entries;
    cursor = page.next;
  }
}

/** The keys of options and others that an editor finds. A page ends when its time is over, so there may be several. */
async function metadataKeysOf(editor: RouteEditor): Promise<readonly string[]> {
  const found: string[] = [];
  for (let cursor: string | null = null; ;) {
    const { metadataKeys, next } = await editor.unknownKeys(cursor, 1000);
    found.push(...metadataKeys.map(([kind, key]) => `${kind}:${key}`));
    if (next === null) return found.toSorted();
    cursor = next;
  }
}
