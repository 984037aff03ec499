import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployOptions } from '../../lib/deploys/deploy-options.ts';
import { planDeploy, withoutOld } from '../../lib/deploys/plan.ts';

const [A, B, C] = ['http://10.0.0.1:80', 'http://10.0.0.2:80', 'http://10.0.0.3:80'];

test('backends that are not named drain, and those that are missing join', () => {
  const plan = planDeploy(['site', A, ` ${B} `], new Map(), [B, C]);
  assert.deepEqual(plan.old, [A]);
  assert.deepEqual(plan.added, [C]);
  assert.deepEqual(plan.draining, new Map([[A, '0']]));
  assert.deepEqual(plan.cleared, new Map([[A, null]]));
  assert.deepEqual(plan.restored, new Map([[A, null]]));
});

test('a draining backend keeps its zone, and gets its weight back', () => {
  const { draining, restored } = planDeploy(['site', A], new Map([[A, '50 eu-1']]), [B]);
  assert.deepEqual(draining, new Map([[A, '0 eu-1']]));
  assert.deepEqual(restored, new Map([[A, '50 eu-1']]));
});

test('a backend that was drained before and is named again gets clients', () => {
  const weights = new Map([
    [A, '0'],
    [B, '300'],
  ]);
  const { draining, restored } = planDeploy(['site', A, B], weights, [A]);
  assert.deepEqual(
    draining,
    new Map([
      [B, '0'],
      [A, null],
    ]),
  );
  assert.deepEqual(
    restored,
    new Map([
      [B, '300'],
      [A, '0'],
    ]),
  );
});

test('old backends leave a list wherever they are, and what others have added stays', () => {
  assert.deepEqual(withoutOld(['site', A, C, ` ${A}`, B], [A]), ['site', C, B]);
});

test('options have usual values and bounds', () => {
  const none = { wait: null, drain: null, check: null, rollbackOn: null };
  const usual = { key: 'x.io', urls: [A], waitMs: 60_000, drainMs: 30_000, checkPath: null, maxErrors: null };
  assert.deepEqual(deployOptions('x.io', [A], none), usual);
  assert.deepEqual(deployOptions('x.io', [A], { ...none, rollbackOn: 5 }), { ...usual, maxErrors: 0.05 });
  assert.match(JSON.stringify(deployOptions('x.io', [A, ` ${A}`], none)), /twice/);
  assert.match(JSON.stringify(deployOptions('x.io', [A], { ...none, wait: 0 })), /wait/);
  assert.match(JSON.stringify(deployOptions('x.io', [A], { ...none, drain: 1e9 })), /drain/);
  assert.match(JSON.stringify(deployOptions('x.io', [A], { ...none, check: 'health' })), /check/);
  assert.match(JSON.stringify(deployOptions('x.io', [A], { ...none, rollbackOn: 101 })), /rollback-on/);
});
