/** A site over HTTP/2 in a real browser: images, an event stream, an upload, a WebSocket, on one connection. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { launchBrowser, noBrowser } from '../support/browser.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { startWebSocketBackend } from '../support/websockets.ts';

const IMAGES = 100;
const UPLOAD_BYTES = 3_000_000;
/** A dot of one pixel. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const PAGE = `<!doctype html><link rel="icon" href="data:,"><title>site</title>${Array.from(
  { length: IMAGES },
  (_, i) => `<img src="/image/${i}">`,
).join('')}`;

function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.url?.startsWith('/image/')) {
    response.setHeader('Content-Type', 'image/gif');
    // Some are large: what follows the image is ignored.
    const isLarge = request.url.endsWith('7');
    response.end(isLarge ? Buffer.concat([GIF, Buffer.alloc(300_000)]) : GIF);
  } else if (request.url === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: one\n\n');
    setTimeout(() => response.write('data: two\n\n'), 50);
  } else if (request.url === '/upload') {
    let length = 0;
    request.on('data', (chunk: Buffer) => (length += chunk.length)).on('end', () => response.end(String(length)));
  } else {
    response.setHeader('Content-Type', 'text/html');
    response.end(PAGE);
  }
}

test(
  'a page of 100 images, events, an upload and a WebSocket work in Chromium over HTTP/2',
  { skip: noBrowser || noOpenssl },
  async (t) => {
    const backend = await startBackend(t, serve);
    const sockets = await startWebSocketBackend(t);
    const pair = makePair(temporaryFolder(t), 'localhost');
    const router = await startRouter(t, {
      routes: { localhost: ['site', backend.url], 'localhost/socket': ['socket', sockets.url] },
      config: { http: { bind: [] }, https: { port: 0, key: pair.keyFile, cert: pair.certFile, bind: ['127.0.0.1'] } },
    });
    const browser = await launchBrowser();
    t.after(() => browser.close());
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`https://localhost:${router.port}/`);

    const loaded: unknown = await page.evaluate(
      `[...document.images].filter((image) => image.complete && image.naturalWidth === 1).length`,
    );
    assert.equal(loaded, IMAGES);
    const protocols: unknown = await page.evaluate(
      `[...new Set(performance.getEntriesByType('resource').map((entry) => entry.nextHopProtocol))]`,
    );
    assert.deepEqual(protocols, ['h2']);

    const events: unknown = await page.evaluate(`new Promise((resolve) => {
    const source = new EventSource('/events');
    const got = [];
    source.onmessage = ({ data }) => got.push(data) === 2 && (source.close(), resolve(got));
  })`);
    assert.deepEqual(events, ['one', 'two']);

    const uploaded: unknown = await page.evaluate(
      `fetch('/upload', { method: 'POST', body: new Uint8Array(${UPLOAD_BYTES}) }).then((response) => response.text())`,
    );
    assert.equal(uploaded, String(UPLOAD_BYTES));

    const echoed: unknown = await page.evaluate(`new Promise((resolve, reject) => {
    const socket = new WebSocket('wss://' + location.host + '/socket');
    socket.onopen = () => socket.send('hello');
    socket.onmessage = ({ data }) => (socket.close(), resolve(data));
    socket.onerror = () => reject(new Error('no WebSocket'));
  })`);
    assert.equal(echoed, 'hello');
    await context.close();

    await eventually(() => assert.equal(router.lines.filter((line) => line.includes(' /image/')).length, IMAGES));
    const others = router.lines.filter((line) => !line.includes('HTTP/2.0"'));
    assert.deepEqual(others, []);
  },
);
