import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELP, readArguments } from '../../lib/config/arguments.ts';

const read = (line: string, env: Record<string, string> = {}) =>
  readArguments(line === '' ? [] : line.split(' '), env, '/package/config');

test('without arguments it runs with the configuration of the package', () => {
  assert.deepEqual(read(''), { action: 'run', path: '/package/config/config.json' });
});

test('SETTINGS_FLAVOR picks another configuration of the package', () => {
  assert.deepEqual(read('', { SETTINGS_FLAVOR: 'test' }), { action: 'run', path: '/package/config/config_test.json' });
  assert.deepEqual(read('-d', { SETTINGS_FLAVOR: '' }), { action: 'dry', path: '/package/config/config.json' });
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
    assert.deepEqual(read(line), { action: 'dry', path: 'x.json' });
  });
}

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
  ['--confg x.json', 'unknown option "--confg"'],
  ['-x', 'unknown option "-x"'],
  ['-dx', 'unknown option "-x"'],
  ['--test', 'unknown option "--test"'],
  ['--no-dry', 'unknown option "--no-dry"'],
  ['x.json', 'unexpected argument "x.json"'],
  ['--dry x.json', 'unexpected argument "x.json"'],
  ['-- x.json', 'unexpected argument "x.json"'],
  ['rout', 'unexpected argument "rout"; did you mean "route"?'],
  ['-c x.json route', 'unexpected argument "route"; a command comes first: hipache route'],
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
    'completion ',
  ]) {
    assert.ok(HELP.includes(option), option);
  }
});
