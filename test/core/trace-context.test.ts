import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  attemptId,
  joinTrace,
  NOTHING_RECEIVED,
  parseTraceparent,
  traceparent,
  type TracePolicy,
} from '../../lib/core/trace-context.ts';
import { propertyRuns } from '../support/random.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const policy: TracePolicy = {
  randomHex: (bytes) => 'c7'.repeat(bytes),
  random: () => 0.5,
  sample: 0,
  obeysTrusted: true,
};

const VALID: readonly (readonly [string, number])[] = [
  [`00-${ID}-${SPAN}-01`, 1],
  [`00-${ID}-${SPAN}-00`, 0],
  [`00-${ID}-${SPAN}-03`, 3],
  [`00-${ID}-${SPAN}-ff`, 255],
  [`01-${ID}-${SPAN}-01`, 1],
  [`fe-${ID}-${SPAN}-01-what comes later`, 1],
  [`cc-${ID}-${SPAN}-01-`, 1],
];

for (const [value, flags] of VALID) {
  test(`"${value}" is read`, () => {
    assert.deepEqual(parseTraceparent(value), { traceId: ID, parentId: SPAN, flags });
  });
}

const INVALID: readonly string[] = [
  '',
  'x',
  `${ID}-${SPAN}-01`,
  `ff-${ID}-${SPAN}-01`,
  `0-${ID}-${SPAN}-01`,
  `000-${ID}-${SPAN}-01`,
  `0x-${ID}-${SPAN}-01`,
  `00-${ID.toUpperCase()}-${SPAN}-01`,
  `00-${ID}-${SPAN.toUpperCase()}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${ID}-${'0'.repeat(16)}-01`,
  `00-${ID.slice(1)}-${SPAN}-01`,
  `00-${ID}0-${SPAN}-01`,
  `00-${ID}-${SPAN.slice(1)}-01`,
  `00-${ID}-${SPAN}0-01`,
  `00-${ID}-${SPAN}`,
  `00-${ID}-${SPAN}-`,
  `00-${ID}-${SPAN}-1`,
  `00-${ID}-${SPAN}-0G`,
  `00-${ID}-${SPAN}-0A`,
  `00-${ID}-${SPAN}-01-more`,
  `00-${ID}-${SPAN}-01-`,
  `00-${ID}-${SPAN}-011`,
  `01-${ID}-${SPAN}-01more`,
  `00_${ID}_${SPAN}_01`,
  ` 00-${ID}-${SPAN}-01`,
  `00-${ID}-${SPAN}-01 `,
  `00-${ID}-${SPAN}-01\n`,
  `00-${ID}-${SPAN}-01, 00-${ID}-${SPAN}-01`,
  `00-${ID.slice(1)}g-${SPAN}-01`,
];

for (const value of INVALID) {
  test(`${JSON.stringify(value)} is not: a trace begins here, without the state`, () => {
    assert.equal(parseTraceparent(value), null);
    const trace = joinTrace({ parents: [value], states: ['a=1'] }, true, policy);
    assert.deepEqual([trace.traceId, trace.parentId, trace.state], ['c7'.repeat(16), null, '']);
  });
}

test('a traceparent that came twice is not believed, even if both say the same', () => {
  const value = `00-${ID}-${SPAN}-01`;
  assert.equal(joinTrace({ parents: [value, value], states: [] }, true, policy).parentId, null);
});

test('a trace is continued: its id and state stay, the span is ours', () => {
  const trace = joinTrace({ parents: [`00-${ID}-${SPAN}-01`], states: ['a=1', 'b=2'] }, true, policy);
  assert.deepEqual(trace, {
    traceId: ID,
    parentId: SPAN,
    spanId: 'c7'.repeat(8),
    isSampled: true,
    flags: '01',
    state: 'a=1,b=2',
  });
});

test('a state without a traceparent is nobody’s', () => {
  assert.equal(joinTrace({ parents: [], states: ['a=1'] }, true, policy).state, '');
});

test('the flag of a trusted peer decides, that of anybody else never does', () => {
  const sampled = { parents: [`00-${ID}-${SPAN}-01`], states: [] };
  const unsampled = { parents: [`00-${ID}-${SPAN}-00`], states: [] };
  const never = policy;
  const always = { ...policy, sample: 1 };
  const heedless = { ...policy, obeysTrusted: false };
  assert.equal(joinTrace(sampled, true, never).isSampled, true);
  assert.equal(joinTrace(unsampled, true, always).isSampled, false);
  assert.equal(joinTrace(sampled, false, never).isSampled, false);
  assert.equal(joinTrace(unsampled, false, always).isSampled, true);
  assert.equal(joinTrace(sampled, true, heedless).isSampled, false);
});

function flagsOf(flags: string, isTrusted: boolean): string {
  return joinTrace({ parents: [`00-${ID}-${SPAN}-${flags}`], states: [] }, isTrusted, policy).flags;
}

test('what is known of the flags is passed on: sampled as decided here, random as it came', () => {
  assert.deepEqual(
    ['00', '01', '02', '03', 'ff', 'fc'].map((flags) => flagsOf(flags, true)),
    ['00', '01', '02', '03', '03', '00'],
  );
  assert.deepEqual(
    ['01', '03'].map((flags) => flagsOf(flags, false)),
    ['00', '02'],
  );
});

test('so many are sampled as is asked for', () => {
  const drawn = [0, 0.009, 0.01, 0.5, 0.999];
  const count = (sample: number): number =>
    drawn.filter((draw) => joinTrace(NOTHING_RECEIVED, false, { ...policy, sample, random: () => draw }).isSampled)
      .length;
  assert.deepEqual([0, 0.01, 1].map(count), [0, 2, 5]);
});

test('chance that gives nothing but zeros makes no invalid id', () => {
  const zeros: TracePolicy = { ...policy, sample: 1, randomHex: (bytes) => '00'.repeat(bytes) };
  for (const parents of [[], [`00-${ID}-${SPAN}-01`]]) {
    const trace = joinTrace({ parents, states: [] }, false, zeros);
    for (const place of [0, 1, 2]) assert.notEqual(parseTraceparent(traceparent(trace, place)), null);
  }
});

const DIGITS = Array.from({ length: 16 }, (_, digit) => digit.toString(16));
const hex = (digits: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...DIGITS), { minLength: digits, maxLength: digits }).map((list) => list.join(''));
const anything = fc.oneof(
  fc.string(),
  fc.tuple(hex(2), hex(32), hex(16), hex(2)).map((parts) => parts.join('-')),
  fc.tuple(fc.constant('00'), fc.constant('0'.repeat(32)), hex(16), hex(2)).map((parts) => parts.join('-')),
);
const seeded: fc.Arbitrary<TracePolicy> = fc.record({
  randomHex: hex(48).map((digits) => (bytes: number) => digits.slice(0, bytes * 2)),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map((value) => () => value),
  sample: fc.double({ min: 0, max: 1, noNaN: true }),
  obeysTrusted: fc.boolean(),
});

test('whatever comes, backends are told of a valid trace, and each attempt is another span', () => {
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 2 }), fc.boolean(), seeded, (parents, isTrusted, how) => {
      const trace = joinTrace({ parents, states: ['a=1'] }, isTrusted, how);
      const told = [0, 1, 2, 3].map((place) => parseTraceparent(traceparent(trace, place)));
      for (const one of told) {
        assert.equal(one?.traceId, trace.traceId);
        assert.equal((one?.flags ?? 0) & 1, Number(trace.isSampled));
      }
      const spans = new Set([trace.spanId, ...[0, 1, 2, 3].map((place) => attemptId(trace, place))]);
      assert.equal(spans.size, trace.isSampled ? 5 : 1);
      if (trace.parentId === null) assert.equal(trace.state, '');
      else assert.ok(parents.length === 1 && parents[0]?.includes(`${trace.traceId}-${trace.parentId}`));
    }),
    { numRuns: propertyRuns(2000) },
  );
});
