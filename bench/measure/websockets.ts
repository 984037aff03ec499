/** WebSocket messages that go through and come back; each message is counted once, on its return. */
import { childCounts, type Counted } from './child-counts.ts';
import type { Measure } from './measure.ts';

const CONNECTIONS = 64;
const MESSAGE_BYTES = 125;

export const websockets: Measure = childCounts({
  child: 'websockets',
  argsFor: (seconds) => [CONNECTIONS, seconds, MESSAGE_BYTES],
  warmSeconds: 2,
  read,
});

function read(said: string): Counted {
  const [, count = 0, micros = 0] = /^figures messages=([0-9]+) micros=([0-9]+)$/m.exec(said)?.map(Number) ?? [];
  if (count === 0) throw new Error(`no message came back: ${said}`);
  return { count, micros };
}
