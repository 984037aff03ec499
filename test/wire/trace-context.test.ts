/** traceparent and tracestate: what backends are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCollector } from '../support/collector.ts';
import { valuesOf } from '../support/wire.ts';
import { converse, request, type Scene, startScene, statusOf } from './scene.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[0-3])$/;

/** What the backend is told when a client sends these lines. */
async function told(scene: Scene, ...lines: readonly string[]): Promise<{ parents: string[]; states: string[] }> {
  scene.received();
  assert.equal(statusOf(await converse(scene, request('GET / HTTP/1.1', ...lines))), 200);
  const [heard] = scene.requests();
  assert.ok(heard);
  return { parents: valuesOf(heard, 'traceparent'), states: valuesOf(heard, 'tracestate') };
}

test('without tracing they are passed on as they came, whatever they say', async (t) => {
  const scene = await startScene(t);
  for (const value of [`00-${ID}-${SPAN}-01`, `00-${ID}-${SPAN}-00`, 'not a traceparent', '']) {
    assert.deepEqual(await told(scene, `traceparent: ${value}`, 'TraceState: a=1,b=2', 'tracestate: c=3'), {
      parents: [value],
      states: ['a=1,b=2', 'c=3'],
    });
  }
  assert.deepEqual(await told(scene, `traceparent: a`, `traceparent: b`), { parents: ['a', 'b'], states: [] });
  assert.deepEqual(await told(scene, 'tracestate: a=1'), { parents: [], states: ['a=1'] });
  assert.deepEqual(await told(scene), { parents: [], states: [] });
});

test('with it, backends are told of a trace in any case, and of one that came when it is valid', async (t) => {
  const { endpoint } = await startCollector(t);
  const scene = await startScene(t, { config: { otel: { endpoint, sample: 0 } } });
  const state = 'tracestate: a=1,b=2';
  const continued = async (expected: string, ...lines: readonly string[]): Promise<void> => {
    const { parents, states } = await told(scene, ...lines);
    assert.equal(parents.length, 1);
    const [, id, span, flags] = TRACEPARENT.exec(parents[0] ?? '') ?? [];
    assert.deepEqual({ id, flags, states }, { id: ID, flags: expected, states: ['a=1,b=2'] });
    assert.notEqual(span, SPAN);
  };
  await continued('01', `traceparent: 00-${ID}-${SPAN}-01`, state);
  await continued('00', state, `TRACEPARENT:00-${ID}-${SPAN}-00`);
  await continued('03', `traceparent:   00-${ID}-${SPAN}-03 `, state);
  await continued('01', `traceparent: 01-${ID}-${SPAN}-09-and more`, state);
  await continued('01', 'X-Forwarded-For: 198.51.100.7', `traceparent: 00-${ID}-${SPAN}-01`, state);

  const begun = async (...lines: readonly string[]): Promise<string> => {
    const { parents, states } = await told(scene, ...lines);
    assert.equal(parents.length, 1);
    const [, id = '', , flags] = TRACEPARENT.exec(parents[0] ?? '') ?? [];
    assert.deepEqual({ flags, states }, { flags: '00', states: [] });
    assert.notEqual(id, ID);
    return id;
  };
  const ids = [
    await begun(),
    await begun(),
    await begun(state),
    await begun(state, 'X-Forwarded-For: 198.51.100.7'),
    await begun(`traceparent: 00-${ID.toUpperCase()}-${SPAN}-01`, state),
    await begun(`traceparent: 00-${ID}-${SPAN}-01, 00-${ID}-${SPAN}-01`, state),
    await begun(`traceparent: 00-${ID}-${SPAN}-01`, `traceparent: 00-${ID}-${SPAN}-01`, state),
    await begun(`traceparent: 00-${ID}-${'0'.repeat(16)}-01`, state),
    await begun('traceparent:', state),
    // Not for us: between the client and whoever is in front.
    await begun('Connection: traceparent', `traceparent: 00-${ID}-${SPAN}-01`, state),
  ];
  assert.equal(new Set(ids).size, ids.length);
  await scene.isWell();
});

test('a stranger’s trace is continued, and what it says of sampling is nothing to us', async (t) => {
  const { endpoint } = await startCollector(t);
  for (const sample of [0, 1]) {
    const scene = await startScene(t, { server: { trustedProxies: [] }, config: { otel: { endpoint, sample } } });
    for (const flags of ['00', '01']) {
      const { parents } = await told(scene, `traceparent: 00-${ID}-${SPAN}-${flags}`);
      const [, id, , sampled] = TRACEPARENT.exec(parents[0] ?? '') ?? [];
      assert.deepEqual([id, sampled], [ID, `0${sample}`]);
    }
  }
});

test('with otel.trustIncoming false it is the same for those that are trusted', async (t) => {
  const { endpoint } = await startCollector(t);
  const scene = await startScene(t, { config: { otel: { endpoint, sample: 0, trustIncoming: false } } });
  const { parents } = await told(scene, `traceparent: 00-${ID}-${SPAN}-01`);
  assert.match(parents[0] ?? '', new RegExp(`^00-${ID}-[0-9a-f]{16}-00$`));
});
