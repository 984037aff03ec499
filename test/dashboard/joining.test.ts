/** The dashboard is one page, and a browser is told exactly what belongs to it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { joinDashboard, readDashboard } from '../../lib/admin/dashboard.ts';
import { packageDashboardFolder } from '../../lib/config/package.ts';

const { html, headers } = readDashboard();
const page = html.toString();
const policy = headers['Content-Security-Policy'] ?? '';
const sources = readdirSync(packageDashboardFolder).filter((name) => name.endsWith('.js') && !name.includes('config'));
const read = (name: string) => readFileSync(join(packageDashboardFolder, name), 'utf8');

/** The insides of an element's every appearance. */
const insides = (element: string) =>
  [...page.matchAll(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, 'g'))].map(([, inside = '']) => inside);

test('the page holds every script and style of its folder, and needs nothing else', () => {
  for (const name of sources) assert.ok(page.includes(read(name)), name);
  assert.ok(page.includes(read('page.css')));
  assert.doesNotMatch(page, /<script[^>]+src|rel="stylesheet"|@import|<iframe|<img/i);
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

test('every function of the scripts is used, and every button does something', () => {
  const code = sources.map(read).join('\n');
  const functions = [...code.matchAll(/^(?:async )?function (\w+)/gm)].map(([, name = '']) => name);
  assert.ok(functions.length > 50);
  for (const name of functions) assert.ok(code.match(new RegExp(`\\b${name}\\b`, 'g'))!.length > 1, name);
  const actions = [
    ...[...read('page.html').matchAll(/data-action="([\w-]+)"/g)].map(([, name = '']) => name),
    ...[...code.matchAll(/button\(\s*'([\w-]+)'/g)].map(([, name = '']) => name),
  ];
  const known = /const ACTIONS = \{([\s\S]*?)\n\};/.exec(code)?.[1] ?? '';
  for (const action of actions) assert.match(known, new RegExp(`^  '?${action}'?:`, 'm'));
});

test('every id that scripts look for stands in the page, once', () => {
  const code = sources.map(read).join('\n');
  const wanted = [...code.matchAll(/\b(?:part|field|dialog)\('([\w-]+)'\)/g)];
  assert.ok(wanted.length > 30);
  for (const [, id] of wanted) assert.equal(page.split(` id="${id}"`).length, 2, id);
});

test('parts are put in their places as they are, dollar signs and all', () => {
  const parts: Readonly<Record<string, string>> = { 'a.css': 'b{}', 'a.js': "'$& $1 $$'" };
  const { html: joined } = joinDashboard(
    '<link rel="stylesheet" href="a.css" /><script src="a.js"></script>',
    (name) => parts[name] ?? '',
  );
  assert.equal(joined.toString(), "<style>b{}</style><script>'$& $1 $$'</script>");
});

for (const text of ["'</script>'", "'</SCRIPT x'", "'<!--'"]) {
  test(`a script with ${text} is refused: it would end before its end`, () => {
    assert.throws(() => joinDashboard('<script src="a.js"></script>', () => text), /a\.js cannot stand in a page/);
  });
}
