import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND_NAMES, type ConfigPlaces, HELP, readArguments, usageAdvice } from '../../lib/config/arguments.ts';

const read = (line: string, env: Record<string, string> = {}, places: Partial<ConfigPlaces> = {}) =>
  readArguments(line === '' ? [] : line.split(' '), env, {
    packaged: '/package/config',
    isClone: true,
    system: null,
    ...places,
  });

test('without arguments it runs with the configuration of the package', () => {
  assert.deepEqual(read(''), { action: 'run', path: '/package/config/config.json' });
});

test('SETTINGS_FLAVOR picks another configuration of the package', () => {
  assert.deepEqual(read('', { SETTINGS_FLAVOR: 'test' }), { action: 'run', path: '/package/config/config_test.json' });
  assert.deepEqual(read('-d', { SETTINGS_FLAVOR: '' }), {
    action: 'dry',
    path: '/package/config/config.json',
    output: 'text',
  });
});

test('then HIPACHE_CONFIG names it, then the machine has one; commands take the same', () => {
  const system = '/etc/hipache.json';
  const own = { HIPACHE_CONFIG: 'own.json' };
  for (const [line, action] of [
    ['', 'run'],
    ['-d', 'dry'],
    ['lint', 'command'],
  ] as const) {
    const pathOf = (env: Record<string, string>, places: Partial<ConfigPlaces>): unknown => {
      const command = read(line, env, places);
      assert.equal(command.action, action);
      return 'path' in command ? command.path : undefined;
    };
    assert.equal(pathOf({ SETTINGS_FLAVOR: 'test', ...own }, { system }), '/package/config/config_test.json');
    assert.equal(pathOf(own, { system }), 'own.json');
    assert.equal(pathOf({ HIPACHE_CONFIG: '' }, { system }), system);
    assert.equal(pathOf({}, { isClone: false, system }), system);
    // Routes that nobody serves are not looked at and not edited: the package's example is for the first start.
    assert.equal(pathOf({}, { isClone: false }), line === 'lint' ? null : '/package/config/config.json');
  }
  assert.deepEqual(read('-c x.json', own, { system }), { action: 'run', path: 'x.json' });
});

for (const line of ['--config x.json', '--config=x.json', '-c x.json', '-cx.json', '-c y.json -c x.json']) {
  test(`"${line}" names the configuration, whatever the flavor`, () => {
    assert.deepEqual(read(line, { SETTINGS_FLAVOR: 'test' }), { action: 'run', path: 'x.json' });
  });
}

for (const line of [
  '--dry --config x.json',
  '-d -c x.json',
  '-t -c x.json',
  '-dc x.json',
  '-tc x.json',
  '-c x.json -t -d',
]) {
  test(`"${line}" only checks`, () => {
    assert.deepEqual(read(line), { action: 'dry', path: 'x.json', output: 'text' });
  });
}

for (const [line, output] of [
  ['--dry --json -c x.json', 'json'],
  ['--json -tc x.json', 'json'],
  ['--dry --quiet -c x.json', 'nothing'],
  ['-tqc x.json', 'nothing'],
] as const) {
  test(`"${line}" checks, and prints ${output}`, () => {
    assert.deepEqual(read(line), { action: 'dry', path: 'x.json', output });
  });
}

test('help and version are commands, too, and help leads to that of each command', () => {
  for (const line of ['help', 'help help', 'help version', 'help --help', 'help -h']) {
    assert.deepEqual(read(line), { action: 'help' }, line);
  }
  assert.deepEqual(read('version'), { action: 'version' });
  for (const name of COMMAND_NAMES) {
    assert.deepEqual(read(`help ${name}`), read(`${name} --help`));
    assert.deepEqual(read(`help ${name} list`), read(`${name} list --help`));
  }
});

test('a command comes first, and has its arguments to itself', () => {
  const path = '/package/config/config.json';
  assert.deepEqual(read('route show www.x.io -h'), {
    action: 'command',
    name: 'route',
    argv: ['show', 'www.x.io', '-h'],
    path,
  });
  assert.deepEqual(read('lint'), { action: 'command', name: 'lint', argv: [], path });
  assert.deepEqual(read('lint', { SETTINGS_FLAVOR: 'test' }), {
    action: 'command',
    name: 'lint',
    argv: [],
    path: '/package/config/config_test.json',
  });
});

test('help comes before version, and both before work', () => {
  for (const line of ['-h', '--help', '-v -h', '--dry --help', '-c x.json -h']) {
    assert.deepEqual(read(line), { action: 'help' });
  }
  for (const line of ['-v', '--version', '--version -d']) assert.deepEqual(read(line), { action: 'version' });
});

for (const [line, reason] of [
  ['--confg x.json', 'unknown option "--confg"; did you mean "--config"?'],
  ['-x', 'unknown option "-x"'],
  ['-dx', 'unknown option "-x"'],
  ['--test', 'unknown option "--test"'],
  ['--no-dry', 'unknown option "--no-dry"'],
  ['x.json', 'unexpected argument "x.json"; did you mean "--config x.json"?'],
  ['--dry x.json', 'unexpected argument "x.json"; did you mean "--config x.json"?'],
  ['-- x.json', 'unexpected argument "x.json"; did you mean "--config x.json"?'],
  ['www.x.com', 'unexpected argument "www.x.com"'],
  ['rout', 'unknown command "rout"; did you mean "route"?'],
  ['frobnicate', 'unknown command "frobnicate"'],
  ['help rout', 'unknown command "rout"; did you mean "route"?'],
  ['help frobnicate', 'unknown command "frobnicate"'],
  ['help --wrong', 'unknown option "--wrong"'],
  ['version now', 'unexpected argument "now"'],
  ['--dry frobnicate', 'unexpected argument "frobnicate"'],
  ['-c x.json route', 'unexpected argument "route"; a command comes first: hipache route'],
  ['-c x.json rout', 'unexpected argument "rout"; a command comes first: hipache route'],
  ['--json', 'option "--json" needs --dry'],
  ['-q -c x.json', 'option "--quiet" needs --dry'],
  ['--dry --json --quiet', 'give --json or --quiet, not both'],
  ['--config', 'option "--config" needs a file'],
  ['--config=', 'option "--config" needs a file'],
  ['-c', 'option "-c" needs a file'],
  ['-c --dry', 'option "-c" needs a file'],
  ['--dry=yes', 'option "--dry" takes no value'],
] as const) {
  test(`"${line}" is refused: ${reason}`, () => {
    assert.deepEqual(read(line), { action: 'refuse', reason });
  });
}

test('a usage error ends with where to read on, whether it asks or says', () => {
  assert.equal(usageAdvice('unknown option "-x"'), 'unknown option "-x"; "hipache --help" lists what it takes');
  assert.equal(
    usageAdvice('did you mean "x"?', 'route'),
    'did you mean "x"? "hipache route --help" lists what it takes',
  );
});

test('the help names every option', () => {
  for (const option of [
    '-c, --config',
    '-d, --dry',
    '-t',
    '-h, --help',
    '-v, --version',
    'SETTINGS_FLAVOR',
    'route ',
    'lint ',
    'top ',
    'health ',
    'completion ',
    '--json',
    '-q, --quiet',
    'help [COMMAND]',
    'version ',
  ]) {
    assert.ok(HELP.includes(option), option);
  }
});
