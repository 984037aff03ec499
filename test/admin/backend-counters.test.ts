import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendCounters } from '../../lib/admin/backend-counters.ts';
import type { Answer, Question } from '../../lib/admin/questions.ts';
import type { Replies } from '../../lib/admin/workforce.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import type { Backend } from '../../lib/core/routing/types.ts';

const MASTER = {
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

/** Workers of which the test has the records, by process id. */
class Workers {
  readonly states = new Map<number, BackendStates>();
  questions = 0;

  respond(pid: number, href: string, count: number): void {
    const states = this.states.get(pid) ?? new BackendStates(Date.now);
    this.states.set(pid, states);
    for (let i = 0; i < count; i++) states.of(backendAt(href)).responded(200, 0, 10);
  }

  ask(question: Question): Promise<Replies> {
    assert.ok(question.type === 'backends');
    this.questions++;
    const answers = new Map<number, Answer>();
    for (const [pid, states] of this.states) {
      answers.set(pid, { type: 'backends', backends: states.snapshot(question.servers, question.more) });
    }
    const workers = [...this.states.keys()].map((pid) => {
      return { pid, generation: 1, state: 'serving', upSeconds: 1 } as const;
    });
    return Promise.resolve({ master: MASTER, workers, answers });
  }
}

function responsesOf(counters: BackendCounters): Readonly<Record<string, number>> {
  return Object.fromEntries(Array.from(counters.entries(), ([label, { responses }]) => [label, responses['2xx']]));
}

test('what workers count of a backend is added up, and stays when a worker ends', async () => {
  const workers = new Workers();
  const counters = new BackendCounters(10, () => 0);
  workers.respond(7, 'http://10.0.0.1', 2);
  workers.respond(8, 'http://10.0.0.1', 3);
  await counters.update(workers);
  await counters.update(workers);
  assert.deepEqual(responsesOf(counters), { 'http://10.0.0.1:80': 5 });
  workers.states.delete(7);
  workers.respond(8, 'http://10.0.0.1', 1);
  await counters.update(workers);
  assert.deepEqual(responsesOf(counters), { 'http://10.0.0.1:80': 6 });
  // A record that was dropped and begun again.
  workers.states.delete(8);
  workers.respond(8, 'http://10.0.0.1', 2);
  await counters.update(workers);
  assert.deepEqual(responsesOf(counters), { 'http://10.0.0.1:80': 8 });
});

test('no more than so many backends have metrics; one without a request for five minutes makes room', async () => {
  let now = 0;
  const workers = new Workers();
  const counters = new BackendCounters(2, () => now);
  workers.respond(7, 'http://10.0.0.1', 1);
  workers.respond(7, 'http://10.0.0.2', 2);
  workers.respond(7, 'http://10.0.0.3', 3);
  await counters.update(workers);
  assert.deepEqual(responsesOf(counters), { 'http://10.0.0.3:80': 3, 'http://10.0.0.2:80': 2 });
  workers.respond(7, 'http://10.0.0.1', 9);
  workers.respond(7, 'http://10.0.0.3', 1);
  now = 200_000;
  await counters.update(workers);
  assert.deepEqual(responsesOf(counters), { 'http://10.0.0.3:80': 4, 'http://10.0.0.2:80': 2 });
  now = 300_001;
  await counters.update(workers);
  assert.deepEqual(responsesOf(counters), { 'http://10.0.0.3:80': 4, 'http://10.0.0.1:80': 10 });
});

test('without metrics.backends no worker is asked', async () => {
  const workers = new Workers();
  workers.respond(7, 'http://10.0.0.1', 1);
  const counters = new BackendCounters(0, () => 0);
  await counters.update(workers);
  assert.equal(workers.questions, 0);
  assert.deepEqual(responsesOf(counters), {});
});

test('a backend is named by its URL without a path', async () => {
  const workers = new Workers();
  for (const href of ['https://a.test/x', 'http://[2001:db8::1]:8080', 'http://[unix:/run/app.sock]']) {
    workers.respond(7, href, 1);
  }
  const counters = new BackendCounters(10, () => 0);
  await counters.update(workers);
  assert.deepEqual(Object.keys(responsesOf(counters)).toSorted(), [
    'http://[2001:db8::1]:8080',
    'http://[unix:/run/app.sock]',
    'https://a.test:443',
  ]);
});
