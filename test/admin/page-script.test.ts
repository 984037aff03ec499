/** Modules of the dashboard become one script. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { joinModules } from '../../lib/admin/page-script.ts';

const join = (modules: Readonly<Record<string, string>>) =>
  joinModules('page.js', (name) => {
    const text = modules[name];
    if (text === undefined) throw new Error(`there is no ${name}`);
    return text;
  });

/** What a script logs by `log`. */
function logged(script: string): readonly string[] {
  const lines: string[] = [];
  runInNewContext(script, { log: (line: string) => lines.push(line) });
  return lines;
}

test('a module runs after those that it imports, and each runs once', () => {
  const script = join({
    'page.js':
      "/** Starts. */\nimport { a } from './a.js';\nimport {\n  B,\n  c,\n} from './b.js';\nimport './c.js';\nlog(a() + new B().name + c);\n",
    'a.js':
      "import { c } from './b.js';\nlog('a');\nexport function a() {\n    return c;\n}\n//# sourceMappingURL=a.js.map",
    'b.js': "log('b');\nexport class B {\n    name = 'B';\n}\nexport const c = 'c';\nexport async function d() {}\n",
    'c.js': "log('c');\nexport {};\n",
  });
  assert.deepEqual(logged(script), ['b', 'a', 'c', 'cBc']);
  assert.doesNotMatch(script, /import|export|sourceMappingURL/);
});

test('a module sees its own names, what it imports, by whichever name, and those of the browser', () => {
  const script = join({
    'page.js': "import { f as g } from './a.js';\nconst own = 'page';\nlog(g() + own + typeof other);\n",
    'a.js': "const own = 'a';\nconst other = 1;\nfunction log() {}\nexport function f() { return own; }\n",
  });
  assert.deepEqual(logged(script + script), ['apageundefined', 'apageundefined']);
});

for (const [what, modules, fault] of [
  [
    'a circle',
    { 'page.js': "import './a.js';\n", 'a.js': "import './page.js';\n" },
    /page\.js imports a\.js imports page\.js: a circle/,
  ],
  ['an import of a default', { 'page.js': "import a from './a.js';\n" }, /"import a from .*cannot be joined/],
  ['an import of a package', { 'page.js': "import { a } from 'a';\n" }, /cannot be joined/],
  ['an export of a list', { 'page.js': 'const a = 1;\nexport { a };\n' }, /"export \{ a \};" cannot be joined/],
  ['an export that changes', { 'page.js': 'export let a = 1;\n' }, /"export let a = 1;" cannot be joined/],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => join(modules), fault);
  });
}
