/** The Redis side: a lookup for each request or the cache that Redis keeps right, and how many frontends there are. */
import type { Metric } from '../figures.ts';
import { requests } from '../measure/requests.ts';
import { hipache, type Routes } from '../peers/hipache.ts';
import { nginx } from '../peers/nginx.ts';
import { nginxLua } from '../peers/nginx-lua.ts';
import type { Case } from './case.ts';

const COLUMNS: readonly Metric[] = [
  'perSecond',
  'cpuMicros',
  'redisMicros',
  'bothMicros',
  'redisCommands',
  'redisScripts',
  'p50Ms',
  'p99Ms',
];

const COUNTED = 'Commands inside of scripts count as commands. "Both" is the router and Redis together.';

function lookups(connections: number): Case {
  return {
    name: `redis-${connections}`,
    title: `Lookups in Redis, 1,000 hosts, ${connections} kept connection${connections === 1 ? '' : 's'}`,
    note: COUNTED,
    measure: requests({ connections }),
    reference: nginxLua('script'),
    peers: [nginxLua('pipeline'), nginx(), hipache({ routes: 'request' }), hipache({ routes: 'push' })],
    columns: COLUMNS,
    ratios: ['bothMicros', 'cpuMicros', 'p99Ms'],
  };
}

export const redisCases: readonly Case[] = [1, 64, 512].map(lookups);

const MODES: readonly Routes[] = ['request', 'push', 'file'];

const withPrefixes = (routes: Routes, prefixes: number) => {
  const label = `${routes}, ${prefixes.toLocaleString('en')} prefixes`;
  return hipache({ routes, prefixes }, { frontends: 100 }, label);
};

export const prefixes: Case = {
  name: 'prefixes',
  title: 'Hosts without prefixes and with many, 100 hosts, 64 kept connections',
  note: 'The path that is asked for has a list of its own where there are prefixes.',
  measure: requests(),
  reference: nginx({ frontends: 100 }),
  peers: MODES.flatMap((routes) => [0, 10, 1_000].map((count) => withPrefixes(routes, count))),
  columns: COLUMNS,
  ratios: ['bothMicros', 'cpuMicros'],
};

const sized = (routes: Routes, frontends: number) =>
  hipache({ routes }, { frontends }, `${routes}, ${frontends.toLocaleString('en')} frontends`);

export const frontends: Case = {
  name: 'frontends',
  title: 'Few frontends and many, asked at random, 64 kept connections',
  note: `${COUNTED} All frontends are asked for alike, so a cache that is smaller than their number misses often.`,
  measure: requests(),
  reference: nginx(),
  peers: [
    sized('request', 1_000),
    sized('request', 100_000),
    sized('request', 1_000_000),
    sized('push', 1_000),
    sized('push', 100_000),
    sized('push', 1_000_000),
    sized('file', 1_000),
    sized('file', 100_000),
  ],
  columns: [...COLUMNS, 'residentMB'],
  ratios: ['bothMicros', 'cpuMicros'],
};
