import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activityOf } from '../../lib/admin/backend-activity.ts';
import type { Answer, Known, Question } from '../../lib/admin/questions.ts';
import type { Replies } from '../../lib/admin/workforce.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { USUAL_URLS } from '../../lib/core/routing/url-rules.ts';
import type { Backend } from '../../lib/core/routing/types.ts';

const NOWHERE = {
  pid: 1,
  upSeconds: 1,
  residentBytes: 1,
  listening: [],
  workers: 2,
  isStopping: false,
  hasRoutes: true,
  changes: { reload: null, upgrade: null, routes: null, logs: null, snapshot: null },
};

function backendAt(href: string): Backend {
  const parsed = parseBackend(href, 0);
  assert.ok('backend' in parsed);
  return parsed.backend;
}

/** Workers of which some reply. */
function workforce(states: ReadonlyMap<number, BackendStates>, workers: readonly Known[]) {
  const asked: Question[] = [];
  return {
    asked,
    ask: (question: Question): Promise<Replies> => {
      asked.push(question);
      assert.ok(question.type === 'backends');
      const answers = new Map<number, Answer>();
      for (const [pid, known] of states)
        answers.set(pid, { type: 'backends', backends: known.snapshot(question.servers) });
      return Promise.resolve({ master: NOWHERE, workers, answers });
    },
  };
}

const known = (pid: number, state: Known['state'] = 'serving'): Known => ({ pid, generation: 1, state, upSeconds: 1 });

test('a worker that does not reply is left out, and that is said', async () => {
  const queries = workforce(new Map([[7, new BackendStates(Date.now)]]), [known(7), known(8), known(9, 'starting')]);
  const activity = await activityOf([{ id: 0, url: 'http://10.0.0.1' }], USUAL_URLS, queries);
  assert.deepEqual([activity.workers, activity.replied], [2, 1]);
});

test('the response has the last ten failures of all workers, the newest first', async () => {
  let now = 0;
  const states = [7, 8].map((pid) => [pid, new BackendStates(() => now)] as const);
  for (now = 0; now < 24; now++) {
    const [, worker] = states[now % 2] ?? states[0]!;
    worker.failed(backendAt('http://10.0.0.1'), { type: 'broken', cause: new Error(`number ${now}`) });
  }
  const queries = workforce(new Map(states), [known(7), known(8)]);
  const [backend] = (await activityOf([{ id: 0, url: 'http://10.0.0.1' }], USUAL_URLS, queries)).backends;
  assert.deepEqual(
    backend?.failures.map(({ reason, pid }) => [reason, pid]),
    Array.from({ length: 10 }, (_, i) => [`number ${23 - i}`, i % 2 === 0 ? 8 : 7]),
  );
});

test('of a list that is too long the first 1,000 are asked for, each server once', async () => {
  const queries = workforce(new Map(), []);
  const backends = Array.from({ length: 5_000 }, (_, id) => ({ id, url: `http://10.0.0.1:${1 + (id % 600)}` }));
  const activity = await activityOf(backends, USUAL_URLS, queries);
  assert.equal(activity.backends.length, 1_000);
  const [question] = queries.asked;
  assert.ok(question?.type === 'backends');
  assert.equal(question.servers.length, 600);
});

test('with server.legacyScheme the record is that of the server that requests go to', async () => {
  const queries = workforce(new Map(), []);
  await activityOf([{ id: 0, url: 'https://10.0.0.1' }], { ...USUAL_URLS, legacyScheme: true }, queries);
  assert.deepEqual(queries.asked, [{ type: 'backends', servers: ['http:10.0.0.1:80'], more: 0 }]);
});
