/** A worker whose event loop really lags: the busiest site gets 503 until it is in time again. */
// @alone: it measures how late a worker is
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRouter } from '../support/router.ts';

const CLIENTS = 300;
/** A pattern, and a path that it does not match, that take most of the millisecond that a site may take. */
const PATTERN = `${'\\w{1,31}'.repeat(4)}! /`;
const REQUEST = `GET /${'a'.repeat(125)} HTTP/1.1\r\nHost: big.test\r\n\r\n`;

interface Load {
  readonly served: number;
  readonly refused: number;
  end(): void;
}

/** Clients that ask for one site, each as soon as it has its response. */
function startLoad(t: TestContext, port: number): Load {
  const sockets: Socket[] = [];
  const load = {
    served: 0,
    refused: 0,
    end: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
  t.after(load.end);
  for (let i = 0; i < CLIENTS; i++) {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    sockets.push(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (part: string) => {
      text += part;
      const head = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: ([0-9]+)/i.exec(text)?.[1] ?? Infinity);
      if (head < 0 || text.length < head + 4 + length) return;
      if (text.startsWith('HTTP/1.1 503')) load.refused++;
      else load.served++;
      text = '';
      socket.write(REQUEST);
    });
    socket.once('connect', () => socket.write(REQUEST));
  }
  return load;
}

test('a worker that is late refuses requests of the busiest site, serves the others, and ends that when it is in time', async (t) => {
  const backend = await startBackend(t, (_request, response) => {
    response.setHeader('Content-Length', 2);
    response.end('ok');
  });
  const router = await startRouter(t, {
    routes: {
      'big.test': ['big', backend.url],
      'options:big.test': { rewrite: PATTERN },
      'small.test': ['small', backend.url],
    },
    server: { overloadLag: 0.02, accessLog: null },
  });
  const load = startLoad(t, router.port);
  const { sites } = await router.event('overloaded');
  assert.deepEqual(sites, ['big.test']);
  await router.until('requests are refused', () => load.refused > 20);
  for (let i = 0; i < 5; i++) {
    assert.equal((await ask({ port: router.port, host: 'small.test' })).status, 200);
    assert.equal((await ask({ port: router.port, host: '__ping__' })).status, 200);
  }
  assert.ok(load.served > 0);
  load.end();
  const { refused } = await router.event('overload-over');
  assert.ok(Number(refused) >= load.refused, `${refused}, not ${load.refused}`);
  assert.equal((await ask({ port: router.port, host: 'big.test' })).status, 200);
  assert.equal(router.log.filter(({ event }) => event === 'overloaded').length, 1);
  assert.deepEqual(
    router.log.filter(({ event }) => event === 'refused'),
    [],
  );
});
