/** docs/grafana.json can be imported, and asks for what the router measures. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';

/** Each metric and its labels; those of histograms are asked for as `_bucket`, `_sum` and `_count`. */
const METRICS: Readonly<Record<string, readonly string[]>> = {
  hipache_requests_total: ['frontend', 'class', 'lane'],
  hipache_request_duration_seconds_bucket: ['frontend', 'le'],
  hipache_backend_duration_seconds_bucket: ['frontend', 'le'],
  hipache_lookup_duration_seconds_bucket: ['le'],
  hipache_retries_total: ['reason'],
  hipache_deaths_total: [],
  hipache_refused_total: ['reason'],
  hipache_client_connections: [],
  hipache_exchanges: [],
  hipache_tunnels: [],
  hipache_backend_connections_total: ['reused'],
  hipache_store_up: [],
  hipache_store_errors_total: [],
  hipache_cache_lookups_total: ['result'],
  hipache_event_loop_delay_seconds: ['percentile'],
  hipache_resident_memory_bytes: [],
  hipache_workers: ['state'],
};

/** Labels that Prometheus adds. */
const OF_ALL = ['job', 'instance'];

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly datasource: unknown }[];
}

/** What Grafana asks for on import. */
const INPUTS = '__inputs';

const text = readFileSync(join(packageRoot, 'docs/grafana.json'), 'utf8');
const board = JSON.parse(text) as {
  readonly [INPUTS]: readonly { readonly name: string; readonly type: string; readonly pluginId: string }[];
  readonly id: unknown;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
};
const targets = board.panels.flatMap((panel) => panel.targets ?? []);
const queries = [...targets.map(({ expr }) => expr), ...board.templating.list.map(({ definition }) => definition)];

test('it asks for its source of data when it is imported', () => {
  assert.deepEqual(
    board[INPUTS].map(({ name, type, pluginId }) => ({ name, type, pluginId })),
    [{ name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' }],
  );
  assert.equal(board.id, null);
  assert.ok(board.schemaVersion >= 39);
  for (const { datasource } of targets) {
    assert.deepEqual(datasource, { type: 'prometheus', uid: '${DS_PROMETHEUS}' });
  }
});

test('every metric it names is one of the router’s, and every one of those is drawn', () => {
  const named = new Set(queries.flatMap((query) => query.match(/\bhipache_\w+/g) ?? []));
  assert.deepEqual([...named].toSorted(), Object.keys(METRICS).toSorted());
});

test('every label it names is one of its metric', () => {
  for (const { expr, legendFormat } of targets) {
    const metrics = expr.match(/\bhipache_\w+/g) ?? [];
    const known = new Set([...OF_ALL, ...metrics.flatMap((metric) => METRICS[metric] ?? [])]);
    const chosen = [...expr.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    for (const label of [...chosen, ...grouped, ...shown]) assert.ok(known.has(label), `${label} in ${expr}`);
  }
});

test('every variable it names is there', () => {
  const known = new Set(board.templating.list.map(({ name }) => name));
  for (const query of queries) {
    for (const [, name = ''] of query.matchAll(/\$(?!__)(\w+)/g)) assert.ok(known.has(name), `$${name} in ${query}`);
  }
});

test('its panels have ids of their own and do not overlap', () => {
  assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos } of board.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x} ${y}`), title);
        taken.add(`${x} ${y}`);
      }
    }
  }
});
