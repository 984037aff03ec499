import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pages } from '../../lib/proxy/pages.ts';
import { temporaryFolder } from '../support/router.ts';

const noFault = (path: string): void => assert.fail(`fault with ${path}`);

test('the page of the status comes first, then the default page, then a line of text', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'error_502.html'), 'bad gateway');
  const some = Pages.read([folder], noFault);
  assert.deepEqual(some.for(502), { type: 'text/html; charset=utf-8', body: Buffer.from('bad gateway') });
  assert.deepEqual(some.for(504), { type: 'text/plain; charset=utf-8', body: Buffer.from('504 Gateway Timeout\n') });
  assert.equal(some.for(599).body.toString(), '599 Error\n');
  writeFileSync(join(folder, 'error_default.html'), 'sorry');
  const more = Pages.read([folder], noFault);
  assert.deepEqual(
    [502, 504].map((status) => more.for(status).body.toString()),
    ['bad gateway', 'sorry'],
  );
});

test('a later folder replaces pages of an earlier one, and only those', (t) => {
  const [first, second] = [temporaryFolder(t), temporaryFolder(t)];
  for (const status of [502, 504]) writeFileSync(join(first, `error_${status}.html`), `first ${status}`);
  writeFileSync(join(second, 'error_504.html'), 'second 504');
  const pages = Pages.read([first, second], noFault);
  assert.deepEqual(
    [502, 504].map((status) => pages.for(status).body.toString()),
    ['first 502', 'second 504'],
  );
});

test('a later folder’s default page stands for every page of an earlier one', (t) => {
  const [first, second] = [temporaryFolder(t), temporaryFolder(t)];
  for (const status of ['502', 'default']) writeFileSync(join(first, `error_${status}.html`), 'packaged');
  writeFileSync(join(second, 'error_default.html'), 'ours');
  const pages = Pages.read([first, second], noFault);
  assert.deepEqual(
    [502, 504].map((status) => pages.for(status).body.toString()),
    ['ours', 'ours'],
  );
});

test('a folder or a page that cannot be read is reported, and the others count', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'error_400.html'));
  writeFileSync(join(folder, 'error_502.html'), 'bad gateway');
  const faults: string[] = [];
  const missing = join(folder, 'missing');
  const pages = Pages.read([missing, folder], (path) => faults.push(path));
  assert.deepEqual(faults, [missing, join(folder, 'error_400.html')]);
  assert.equal(pages.for(502).body.toString(), 'bad gateway');
  assert.equal(pages.for(400).body.toString(), '400 Bad Request\n');
});

test('files of other names are no pages', (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['error_5020.html', 'error_502.html.bak', 'xerror_502.html', 'error_.html']) {
    writeFileSync(join(folder, name), 'no');
  }
  assert.equal(Pages.read([folder], noFault).for(502).body.toString(), '502 Bad Gateway\n');
});
