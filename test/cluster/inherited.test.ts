import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedForStarter, takeInherited } from '../../lib/cluster/master/inherited.ts';

const PID = 4711;
const own = (fd: number) => ({ fd, address: null, port: null });

for (const [title, env, found] of [
  ['nothing is nothing', {}, []],
  ['systemd passes descriptors from 3 on', { LISTEN_FDS: '2', LISTEN_PID: '4711' }, [own(3), own(4)]],
  ['what systemd passed to another process is not ours', { LISTEN_FDS: '2', LISTEN_PID: '4712' }, []],
  ['descriptors that are for nobody are not ours', { LISTEN_FDS: '2' }, []],
  ['a count that is none is no descriptor', { LISTEN_FDS: 'two', LISTEN_PID: '4711' }, []],
  [
    'Server::Starter names what it passes',
    { SERVER_STARTER_PORT: '127.0.0.1:80=3;443=4;[::1]:81=7' },
    [
      { fd: 3, address: '127.0.0.1', port: 80 },
      { fd: 4, address: null, port: 443 },
      { fd: 7, address: '::1', port: 81 },
    ],
  ],
  [
    'the path of a Unix socket is nothing that we listen on',
    { SERVER_STARTER_PORT: '/run/x.sock=3;80=4' },
    [{ fd: 4, address: null, port: 80 }],
  ],
] as const) {
  test(title, () => assert.deepEqual(takeInherited({ ...env }, PID), found));
}

test('the variables are taken out: children get none of it', () => {
  const env = { LISTEN_FDS: '1', LISTEN_PID: '4711', LISTEN_FDNAMES: 'x', SERVER_STARTER_PORT: '80=3', PATH: '/bin' };
  takeInherited(env, PID);
  assert.deepEqual(env, { PATH: '/bin' });
});

test('a successor reads what its predecessor wrote, any free port included', () => {
  const named = namedForStarter([
    { address: '0.0.0.0', port: 80 },
    { address: '::1', port: 0 },
  ]);
  assert.equal(named, '0.0.0.0:80=3;[::1]:0=4');
  assert.deepEqual(takeInherited({ SERVER_STARTER_PORT: named }, PID), [
    { fd: 3, address: '0.0.0.0', port: 80 },
    { fd: 4, address: '::1', port: 0 },
  ]);
});
