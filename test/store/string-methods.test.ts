import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const IOREDIS = import.meta.resolve('ioredis');
const MENDER = new URL('../../lib/store/drivers/string-methods.js', import.meta.url).href;

/** Whether V8 keeps the methods of strings where it finds them fast, after a script. */
function areFastAfter(script: string): boolean {
  const whole = `${script}; console.log(%HasFastProperties(String.prototype));`;
  const args = ['--allow-natives-syntax', '--input-type=module', '-e', whole];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.match(stdout, /^(?:true|false)\n$/, stderr);
  return stdout === 'true\n';
}

test('with ioredis loaded the methods of strings are fast', () => {
  const mend = `const { mendStringMethods } = await import('${MENDER}'); mendStringMethods()`;
  assert.ok(areFastAfter(`await import('${IOREDIS}'); ${mend}`));
});

// When this fails, ioredis extends String no longer: lib/store/drivers/string-methods.ts can go.
test('ioredis by itself makes them slow', () => {
  assert.ok(areFastAfter(''));
  assert.ok(!areFastAfter(`await import('${IOREDIS}')`));
});
