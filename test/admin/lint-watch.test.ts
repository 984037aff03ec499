// @one-lane: no router is started
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configuredCertificates } from '../../lib/admin/configured-certificates.ts';
import { LintWatch } from '../../lib/admin/lint-watch.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder, writeConfig } from '../support/router.ts';

test('the certificate of the configuration is a problem two weeks before it expires', { skip: noOpenssl }, (t) => {
  const folder = temporaryFolder(t);
  const { keyFile: key, certFile: cert } = makePair(folder, 'a.test');
  const https = { port: 0, bind: ['127.0.0.1'], key, cert };
  const config = loadConfig(writeConfig(folder, { routes: {}, config: { https } }));
  const [configured] = configuredCertificates(config);
  assert.ok(configured);
  const url = { scheme: 'file', path: join(folder, 'routes.json') } as const;
  const editor = openEditor(url, url, { timeoutMs: 1_000 });
  t.after(() => editor.close());
  // The pair is valid for a day.
  const [soon, ...more] = new LintWatch(editor, [configured]).problems;
  assert.deepEqual(more, []);
  assert.match(soon?.text ?? '', /^https\.cert: tls-expires: it has a certificate that expires on \d{4}-/);
  assert.equal(soon?.severity, 'note');
  const [over] = new LintWatch(editor, [{ name: 'https.cert', expiresAt: 0 }]).problems;
  assert.match(over?.text ?? '', /^https\.cert: tls-expired: it has a certificate that expired on 1970-/);
  const later = { name: 'https.cert', expiresAt: Date.now() + 15 * 86_400_000 };
  assert.deepEqual(new LintWatch(editor, [later, { name: 'https.cert', expiresAt: Infinity }]).problems, []);
});

test('errors of lint come when a run has ended; those of lists are left to the summary', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'routes.json');
  const routes = { 'a.test': ['site', 'nothing'], 'options:a.test': { hts: '1' } };
  writeFileSync(path, JSON.stringify(routes));
  const editor = openEditor({ scheme: 'file', path }, { scheme: 'file', path }, { timeoutMs: 1_000 });
  t.after(() => editor.close());
  const watch = new LintWatch(editor, []);
  const texts = (): readonly string[] => watch.problems.map(({ text }) => text);
  assert.deepEqual(texts(), []);
  await eventually(() => assert.match(texts().join('\n'), /option-unknown/));
  assert.doesNotMatch(texts().join('\n'), /bad-url/);
});
