/** What the benchmark reads: /proc, wrk, INFO, its own arguments. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf, parseArguments } from '../../bench/arguments.ts';
import { inWords, layOut, parseCores } from '../../bench/cores.ts';
import { grpcFrame } from '../../bench/grpc.ts';
import { h2loadCommand, parseH2load, TEN_BY_HUNDRED } from '../../bench/h2load.ts';
import { parseHandshakes } from '../../bench/measure/handshakes.ts';
import { affordable } from '../../bench/measure/idle.ts';
import { busyTicks, parseProcessStat, treeOf } from '../../bench/proc-stat.ts';
import { callsBetween, parseCalls, totals } from '../../bench/redis-info.ts';
import { parseWrk, wrkCommand } from '../../bench/wrk.ts';

const line = (pid: number, parent: number, times = '3 4 5 6', name = 'node'): string =>
  `${pid} (${name}) S ${parent} 1 1 0 -1 4194560 9 0 0 0 ${times} 20 0 11 0 777 1000000 250 18446744073709551615 1 1`;
const statOf = (...args: Parameters<typeof line>) =>
  parseProcessStat(line(...args)) ?? assert.fail('it is such a line');

test('a line of /proc/PID/stat gives the times, those of ended children too, whatever the name', () => {
  assert.deepEqual(parseProcessStat(line(42, 7, '3 4 5 6', 'a) S 9 (b')), {
    pid: 42,
    parent: 7,
    ticks: 18,
    residentPages: 250,
  });
});

test('what is no such line gives nothing', () => {
  for (const text of ['', '42 node', '42 (node) S 7']) assert.equal(parseProcessStat(text), null);
});

test('a tree is a process and all below it, in any order, and nobody else', () => {
  const all = [statOf(12, 11), statOf(10, 1), statOf(11, 10), statOf(20, 1), statOf(21, 20), statOf(13, 10)];
  const pids = treeOf(10, all).map(({ pid }) => pid);
  assert.deepEqual(
    pids.toSorted((a, b) => a - b),
    [10, 11, 12, 13],
  );
  assert.deepEqual(treeOf(99, all), []);
});

test('a core is busy but for idling and waiting', () => {
  const text = 'cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 1000 2000 8 16 32 0 0\ncpu1 5 0 0 7 0 0 0 0 0 0\nintr 5\n';
  assert.equal(busyTicks(text, [0]), 63);
  assert.equal(busyTicks(text, [0, 1]), 68);
});

test('cores are read as the kernel writes them', () => {
  assert.deepEqual(parseCores('0-2,5'), [0, 1, 2, 5]);
  assert.deepEqual(parseCores('3'), [3]);
  assert.deepEqual(parseCores('none'), []);
});

test('the system under test never shares a core with the load, unless there is only one', () => {
  assert.deepEqual(layOut([0, 1], 1), { load: [0], subject: [1] });
  assert.deepEqual(layOut([0, 1], 2), { load: [0], subject: [1] });
  assert.deepEqual(layOut([2, 3, 4, 5], 2), { load: [2], subject: [3, 4] });
  assert.deepEqual(layOut([4], 2), { load: [4], subject: [4] });
  assert.match(inWords(layOut([0, 1], 2), 2), /core 1, which its 2 workers share$/);
  assert.match(inWords(layOut([0, 1, 2], 2), 2), /cores 1, 2$/);
});

test('wrk is read by the line that our script prints', () => {
  const output = `Running 4s test\nRequests/sec: 1\n
figures requests=2000 micros=4000000 bytes=300000 errors=3 p50=1500 p99=9750\n`;
  assert.deepEqual(parseWrk(output), {
    requests: 2000,
    seconds: 4,
    bytes: 300_000,
    errors: 3,
    p50Ms: 1.5,
    p99Ms: 9.75,
  });
});

test('a wrk that got no answer, or said nothing, is an error', () => {
  assert.throws(() => parseWrk('unable to connect'), /did not say/);
  assert.throws(() => parseWrk('figures requests=0 micros=4000000 bytes=0 errors=64 p50=0 p99=0'), /wrk got no answer/);
});

test('wrk is told everything on its command line', () => {
  const load = { path: '/20', connections: 64, tls: true, bodyBytes: 10_240, closes: true };
  assert.equal(
    wrkCommand(load, 'ask.lua', 8443, 1000, 4).join(' '),
    'wrk -t1 -c64 -d4s --timeout 10s -s ask.lua https://127.0.0.1:8443/20 -- 1000 POST /20 10240 close',
  );
});

test('the commands of Redis are counted between two readings, scripts apart', () => {
  const before = parseCalls('# Commandstats\r\ncmdstat_llen:calls=5,usec=1\r\ncmdstat_evalsha:calls=5,usec=9\r\n');
  const after = parseCalls(
    'cmdstat_llen:calls=15,usec=1\r\ncmdstat_evalsha:calls=12,usec=9\r\ncmdstat_eval:calls=3,usec=1\r\n' +
      'cmdstat_smembers:calls=10,usec=1\r\ncmdstat_info:calls=2,usec=1\r\ncmdstat_client|id:calls=1,usec=1\r\n',
  );
  assert.deepEqual(totals(callsBetween(before, after)), { commands: 21, scripts: 10 });
});

test('arguments have defaults, and bounds', () => {
  assert.deepEqual(parseArguments([]), {
    action: 'measure',
    only: [],
    peers: [],
    attacks: [],
    rounds: 3,
    seconds: 4,
    keeps: false,
    out: null,
  });
  const wanted = parseArguments(['--only', 'small,redis', '--peers', 'haproxy', '--rounds', '1', '--list']);
  assert.deepEqual(
    { ...wanted },
    {
      action: 'list',
      only: ['small', 'redis'],
      peers: ['haproxy'],
      attacks: [],
      rounds: 1,
      seconds: 4,
      keeps: false,
      out: null,
    },
  );
  for (const bad of ['0', '1.5', 'x', '1001']) assert.throws(() => parseArguments(['--rounds', bad]), /--rounds/);
  assert.throws(() => parseArguments(['--nothing']));
});

test('the command that measures the same again names what differs from the defaults, and no folder', () => {
  assert.equal(commandOf([]), 'npm run bench');
  assert.equal(commandOf(['--out', '/some/where', '--rounds', '3']), 'npm run bench');
  assert.equal(commandOf(['--seconds=2', '--only', 'small,']), 'npm run bench -- --only small --seconds 2');
});

const H2LOAD = `starting benchmark...
progress: 100% done

finished in 224.79ms, 8897.11 req/s, 411.36KB/s
requests: 2000 total, 2000 started, 2000 done, 1990 succeeded, 10 failed, 4 errored, 0 timeout
status codes: 1990 2xx, 0 3xx, 6 4xx, 0 5xx
traffic: 92.47KB (94690) total, 17.96KB (18390) headers (space savings 90.42%), 39.06KB (40000) data
`;

test('h2load is read by what it prints for people', () => {
  const { seconds, ...rest } = parseH2load(H2LOAD);
  assert.ok(Math.abs(seconds - 0.22479) < 1e-9);
  assert.deepEqual(rest, { requests: 1990, bytes: 94_690, errors: 10 });
  assert.equal(parseH2load(H2LOAD.replace('224.79ms', '2.50s')).seconds, 2.5);
  assert.throws(() => parseH2load('usage'), /did not say/);
  assert.throws(() => parseH2load(H2LOAD.replace('1990 succeeded', '0 succeeded')), /no good answer/);
});

test('h2load is told everything on its command line', () => {
  assert.equal(
    h2loadCommand(TEN_BY_HUNDRED, 8443, { requests: 5000 }).join(' '),
    'h2load -t1 -c10 -m100 --tls13-ciphers=TLS_AES_256_GCM_SHA384 -n 5000 --connect-to=127.0.0.1:8443 https://h0.bench.test/20',
  );
  const load = { ...TEN_BY_HUNDRED, tls: false, grpcFile: 'frame' };
  assert.match(
    h2loadCommand(load, 8080, { seconds: 2 }).join(' '),
    / -D 2s --connect-to=\S+ -d frame -H content-type: application\/grpc -H te: trailers http:\/\/h0/,
  );
});

test('a message of gRPC is not compressed, and says its length', () => {
  const frame = grpcFrame();
  assert.deepEqual([frame[0], frame.readUInt32BE(1)], [0, frame.length - 5]);
});

test('no more idle connections are opened than the router may hold with its open files', () => {
  assert.equal(affordable(10_000, 1_048_576), 10_000);
  assert.equal(affordable(10_000, Infinity), 10_000);
  // The router holds 9,975 then.
  assert.equal(affordable(10_000, 20_000), 9_500);
  assert.equal(affordable(10_000, 500), 1);
});

test('the maker of handshakes is read by its line', () => {
  assert.deepEqual(parseHandshakes('figures made=70 resumed=6 micros=1000\n'), { made: 70, resumed: 6, micros: 1000 });
  assert.throws(() => parseHandshakes('figures made=0 resumed=0 micros=1000'), /no connection/);
});
