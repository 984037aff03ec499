/** What the dashboard of a middling installation has to show: for screenshots, and for tests that look at it all. */
import { StubAdmin } from './stub-admin.ts';

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);

const backends = (from: number, many: number, port = 80) =>
  Array.from({ length: many }, (_, i) => `http://10.0.${port % 7}.${from + i}:${port}`);

export async function startRealistic(): Promise<StubAdmin> {
  const stub = await StubAdmin.start();
  stub.set('www.example.com', 'shop', backends(11, 3));
  stub.set('api.example.com', 'shop-api', backends(31, 4, 8080));
  stub.set('*.example.com', 'landing', backends(51, 2));
  stub.set('blog.example.org', 'blog', ['http://10.0.4.11:2368', 'http//10.0.4.12:2368']);
  stub.set('status.example.net', 'status-page', backends(71, 1, 3000));
  stub.set('chat.example.net', 'chat', backends(81, 2, 4000));
  stub.set('files.example.org', 'files', backends(91, 2, 9000));
  for (let i = 1; i <= 40; i++)
    stub.set(`customer-${i}.apps.example.io`, `app-${1000 + i}`, backends(100 + i, 1 + (i % 3)));
  stub.busiest = ['shop', 'shop-api', 'landing', 'chat', 'blog', 'app-1007', 'app-1031', 'files'];

  stub.failing = new Set(['blog']);
  stub.lint = [
    {
      kind: 'certificate',
      severity: 'note',
      frontend: null,
      text: 'tls:www.example.com: tls-expires: it has a certificate that expires on 2026-12-04T00:00:00.000Z',
      advice: '',
    },
  ];

  stub.tell('ready', 'info', 'version 1.0.0, 2 workers, listening on http://0.0.0.0:80', { workers: 2 }, ago(8142));
  stub.tell('reloaded', 'info', 'new workers run the new configuration', { workers: 2 }, ago(8140));
  stub.tell('store-down', 'error', 'redis://127.0.0.1:6379 does not answer: connect ECONNREFUSED', {}, ago(1301));
  stub.tell('store-up', 'info', 'redis://127.0.0.1:6379 answers', {}, ago(1298));
  const fault = 'backend 1, "http//10.0.4.12:2368": not a URL';
  stub.tell('route-fault', 'warn', `frontend:blog.example.org: ${fault}`, { key: 'blog.example.org', fault }, ago(44));
  stub.kill('files.example.org', 0, 14, 'timeout');
  stub.kill('files.example.org', 1, 21, 'timeout');
  stub.kill('api.example.com', 2, 27, 'connect ECONNREFUSED');
  return stub;
}
