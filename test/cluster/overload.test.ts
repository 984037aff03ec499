/** An overloaded worker: its lanes in this process, with real sockets and a lag that the test sets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Overload } from '../../lib/overload/overload.ts';
import { says, startBackend } from '../support/backends.ts';
import { type Answer, ask } from '../support/client.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startInnerWorker } from '../support/inner-worker.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const TIMES = 20;

async function startOverloaded(t: TestContext, fastLane: boolean) {
  let lagMs = 0;
  const overload = new Overload({
    lag: { take: () => lagMs, close: () => {} },
    limitMs: 100,
    now: () => performance.now(),
    notify: () => {},
  });
  const worker = await startInnerWorker(t, fastLane, overload);
  const answers = async (host: string): Promise<readonly Answer[]> => {
    const all: Answer[] = [];
    for (let i = 0; i < TIMES; i++) all.push(await ask({ port: worker.port, host }));
    return all;
  };
  /** A second ends in which the event loop was so late. */
  const endSecond = (ms: number): void => {
    lagMs = ms;
    overload.turn();
  };
  return { ...worker, answers, endSecond };
}

const refusedOf = (answers: readonly Answer[]): number => answers.filter(({ status }) => status === 503).length;

for (const fastLane of [true, false]) {
  const setting = `with the fast lane ${fastLane ? 'on' : 'off'}`;

  test(`the busiest site gets 503, and small sites and pings 200, ${setting}`, async (t) => {
    const { store, answers, endSecond, port } = await startOverloaded(t, fastLane);
    const backend = await startBackend(t, says('ok'));
    for (const host of ['big.test', 'small.test']) store.set(host, ['site', backend.url]);
    for (let i = 0; i < 3; i++) {
      await answers('big.test');
      await ask({ port, host: 'small.test' });
      endSecond(1_000);
    }
    const big = await answers('big.test');
    assert.ok(refusedOf(big) >= TIMES / 4 && refusedOf(big) < TIMES, `${refusedOf(big)} of ${TIMES}`);
    const refused = big.find(({ status }) => status === 503);
    assert.equal(refused?.headers['x-router-error'], 'overloaded');
    assert.equal(refused?.headers['retry-after'], '5');
    assert.equal(refused?.headers['cache-control'], 'no-cache');
    const others = [await ask({ port, host: 'small.test' }), ...(await answers('__ping__'))];
    assert.deepEqual(new Set(others.map(({ status }) => status)), new Set([200]));
    for (let i = 0; i < 30; i++) endSecond(0);
    assert.equal(refusedOf(await answers('big.test')), 0);
  });

  test(`requests that only the full lane serves count once, and WebSockets too, ${setting}`, async (t) => {
    const { store, answers, endSecond, port } = await startOverloaded(t, fastLane);
    const backend = await startBackend(t, says('ok'));
    const h2c = await startHttp2Backend(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    const sockets = await startWebSocketBackend(t);
    store.set('plain.test', ['site', backend.url]);
    store.set('handed.test', ['site', h2c.url]);
    store.set('sockets.test', ['site', sockets.url]);
    /** @returns how many were refused */
    const connect = async (): Promise<number> => {
      let refused = 0;
      for (let i = 0; i < TIMES; i++) {
        const client = openWebSocket(t, `ws://127.0.0.1:${port}`, 'sockets.test');
        const status = await Promise.race([
          once(client, 'open').then(() => 101),
          once(client, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
        ]);
        assert.ok(status === 101 || status === 503, String(status));
        if (status === 503) refused++;
        client.terminate();
      }
      return refused;
    };
    for (let i = 0; i < 2; i++) {
      for (const host of ['plain.test', 'handed.test']) await answers(host);
      await connect();
      endSecond(200);
    }
    const [plain, handed] = [refusedOf(await answers('plain.test')), refusedOf(await answers('handed.test'))];
    const opened = await connect();
    assert.ok(plain > 2, `${plain}`);
    for (const count of [handed, opened]) assert.ok(Math.abs(count - plain) <= 1, `${count}, not ${plain}`);
  });
}
