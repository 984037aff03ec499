import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Console } from '../../lib/command/console.ts';
import { frontendLines } from '../../lib/command/route-show.ts';
import type { BackendView } from '../../lib/diagnostics/explanation.ts';

const CONSOLE: Console = {
  write: () => Promise.resolve(),
  complain: () => {},
  isTerminal: true,
  hasColor: false,
  env: {},
};
const DEAD = { url: 'http://a', state: 'dead', secondsLeft: null, trialInSeconds: null, fault: null } as const;

test('a dead backend is shown with what follows, and one on trial as that', () => {
  const views: readonly Omit<BackendView, 'id'>[] = [
    { ...DEAD, state: 'alive', markedBy: null },
    { ...DEAD, secondsLeft: 11.2, markedBy: 'router' },
    { ...DEAD, secondsLeft: 59.2, trialInSeconds: 59.2, markedBy: 'router' },
    { ...DEAD, state: 'on-trial', trialInSeconds: 0, markedBy: 'router' },
    { ...DEAD, markedBy: 'other' },
    { ...DEAD, state: 'unusable', markedBy: null, fault: 'not a URL' },
  ];
  const backends = views.map((view, id) => Object.assign({ id }, view));
  const [, ...lines] = frontendLines(CONSOLE, { key: 'x.io', name: 'x', backends, faults: [] });
  assert.deepEqual(
    lines.map((line) => line.replace(/^ +\d +http:\/\/a +/, '').trimEnd()),
    [
      'not marked dead',
      'dead for 12 s more',
      'dead for 60 s more, then on trial',
      'on trial: it was dead, and gets one request',
      'dead, without expiry, by a checker, an operator or an older router',
      'unusable: not a URL',
    ],
  );
});
