import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const IOREDIS = import.meta.resolve('ioredis');
const LOADER = new URL('../../lib/store/redis-client/ioredis.js', import.meta.url).href;

/** Whether V8 keeps the methods of strings where it finds them fast, after a script. */
function areFastAfter(script: string): boolean {
  const whole = `${script}; console.log(%HasFastProperties(String.prototype));`;
  const args = ['--allow-natives-syntax', '--input-type=module', '-e', whole];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.match(stdout, /^(?:true|false)\n$/, stderr);
  return stdout === 'true\n';
}

test('with ioredis loaded the methods of strings are fast', () => {
  assert.ok(areFastAfter(`const { ioredis } = await import('${LOADER}'); new (ioredis().Command)('get')`));
});

// When this fails, ioredis extends String no longer: lib/store/redis-client/string-methods.ts can go.
test('ioredis by itself makes them slow', () => {
  assert.ok(areFastAfter(''));
  assert.ok(!areFastAfter(`await import('${IOREDIS}')`));
});
