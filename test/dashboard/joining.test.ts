/** The dashboard is one page that loads no other file, and its policy allows its own styles and scripts alone. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { joinDashboard, readDashboard } from '../../lib/admin/dashboard.ts';
import { packageDashboardFolder, packageRoot } from '../../lib/config/package.ts';

const { html, headers } = readDashboard();
const page = html.toString();
const policy = headers['Content-Security-Policy'] ?? '';
const files = readdirSync(packageDashboardFolder);
const sources = files.filter((name) => name.endsWith('.ts'));
const read = (name: string) => readFileSync(join(packageDashboardFolder, name), 'utf8');
const compiled = (name: string) =>
  readFileSync(new URL(`../../lib/dashboard/${name.replace(/\.ts$/, '.js')}`, import.meta.url), 'utf8');

/** The first lines of a module's statements. */
const statements = (name: string) =>
  compiled(name)
    .split('\n')
    .filter((line) => /^[a-z]/.test(line) && !line.startsWith('import '))
    .map((line) => line.replace(/^export /, ''));

/** Exported for series.test.ts alone. */
const FOR_TESTS = new Set(['ceiling', 'linear', 'logarithmic', 'outline']);

/** The insides of an element's every appearance. */
const insides = (element: string) =>
  [...page.matchAll(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, 'g'))].map(([, inside = '']) => inside);

test('the page has every script and style of its folder, and loads nothing else', () => {
  assert.ok(sources.length > 10);
  for (const name of sources) {
    assert.ok(statements(name).length > 0, name);
    for (const statement of statements(name)) assert.ok(page.includes(`\n${statement}`), `${name}: ${statement}`);
  }
  for (const name of files.filter((each) => each.endsWith('.css'))) assert.ok(page.includes(read(name)), name);
  assert.doesNotMatch(page, /<script[^>]+src|rel="stylesheet"|@import|<iframe|<img/i);
  assert.doesNotMatch(page, /^(?:import|export) |sourceMappingURL/m);
  assert.doesNotMatch(page, /url\(|https?:\/\/(?!HOST|10\.|127\.|www\.w3\.org)/);
});

test('scripts and styles that came with the page are allowed by their hashes, and nothing else is', () => {
  for (const element of ['script', 'style']) {
    const hashes = insides(element).map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    assert.ok(hashes.length > 0);
    assert.ok(policy.includes(`${element}-src ${hashes.join(' ')};`));
  }
  for (const rule of ["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'"]) {
    assert.ok(policy.includes(rule), rule);
  }
  assert.doesNotMatch(policy, /unsafe/);
});

test('no markup carries a style or a handler, which the policy would forbid', () => {
  assert.doesNotMatch(read('page.html'), /\sstyle=|\son\w+=/);
});

test('no script parses markup: what strangers named stays text', () => {
  for (const name of sources) {
    assert.doesNotMatch(
      read(name),
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\b|new Function/,
      name,
    );
  }
});

test('every export is imported, and every button does something', () => {
  const code = sources.map(read).join('\n');
  const exports = [...code.matchAll(/^export (?:async )?(?:function|class|const) (\w+)/gm)].map(
    ([, name = '']) => name,
  );
  assert.ok(exports.length > 50);
  for (const name of exports) {
    if (FOR_TESTS.has(name)) continue;
    assert.match(code, new RegExp(`^import [^;]*\\b${name}\\b[^;]*;`, 'm'), `${name} is not imported`);
  }
  const actions = [
    ...[...read('page.html').matchAll(/data-action="([\w-]+)"/g)].map(([, name = '']) => name),
    ...[...code.matchAll(/button\(\s*'([\w-]+)'/g)].map(([, name = '']) => name),
  ];
  assert.ok(actions.length > 10);
  const known = /const ACTIONS\b[^=]*=> void>> = \{([\s\S]*?)\n\};/.exec(code)?.[1] ?? '';
  for (const action of actions) assert.match(known, new RegExp(`^  '?${action}'?:`, 'm'));
});

test('every id that scripts look for is in the page, once', () => {
  const code = sources.map(read).join('\n');
  const wanted = [...code.matchAll(/\b(?:byId|field|select|dialog)\('([\w-]+)'\)/g)];
  assert.ok(wanted.length > 30);
  for (const [, id] of wanted) assert.equal(page.split(` id="${id}"`).length, 2, id);
});

test('the events that change routes are events of the log', () => {
  const documented = readFileSync(join(packageRoot, 'docs', 'logs.md'), 'utf8');
  const listed = /ROUTE_EVENTS = new Set\(\[([^\]]*)\]/.exec(read('events.ts'))?.[1] ?? '';
  const names = [...listed.matchAll(/'([\w-]+)'/g)].map(([, name = '']) => name);
  assert.ok(names.length > 5);
  for (const name of names) assert.ok(documented.includes(`\`${name}\``), name);
});

test('parts are put in their places as they are, dollar signs and all', () => {
  const parts: Readonly<Record<string, string>> = { 'a.css': 'b{}', 'a.js': "'$& $1 $$';\n" };
  const { html: joined } = joinDashboard(
    '<link rel="stylesheet" href="a.css" /><script src="a.js"></script>',
    (name) => parts[name] ?? '',
  );
  assert.match(joined.toString(), /^<style>b\{\}<\/style><script>[^<]*\n'\$& \$1 \$\$';\n[^<]*<\/script>$/);
});

for (const text of ["'</script>'", "'</SCRIPT x'", "'<!--'"]) {
  test(`a script with ${text} is refused: it would end before its end`, () => {
    assert.throws(() => joinDashboard('<script src="a.js"></script>', () => text), /a\.js cannot be part of a page/);
  });
}
