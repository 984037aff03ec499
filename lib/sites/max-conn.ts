/** `maxConn`, `maxConnPerBackend` and `queue`: how many requests of a site are in flight, and how others wait. */
import { siteFeature } from './feature.ts';
import { wholeNumberOrOff } from './field-readers.ts';

interface Settings {
  readonly maxConn: number | null;
  readonly maxConnPerBackend: number | null;
  readonly queueLength: number;
  readonly queueSeconds: number;
}

const MOST = 1_000_000;
const MOST_QUEUED = 100_000;
const MOST_SECONDS = 3600;
const QUEUE = /^([0-9]{1,6})\s+([0-9]{1,4}(?:\.[0-9]{1,3})?)$/;

/** The features `maxConn`, `maxConnPerBackend` and `queue`. */
export const maxConn = siteFeature<Settings>({
  fields: {
    maxConn: wholeNumberOrOff(1, MOST, (limit) => ({ maxConn: limit })),
    maxConnPerBackend: wholeNumberOrOff(1, MOST, (limit) => ({ maxConnPerBackend: limit })),
    queue: readQueue,
  },
  defaults: { maxConn: null, maxConnPerBackend: null, queueLength: 100, queueSeconds: 5 },
  behaviour: (settings) => ({
    // The lane takes the same permits.
    mayServeFast: () => true,
    concurrency:
      settings.maxConn === null && settings.maxConnPerBackend === null ? null : Object.freeze({ ...settings }),
  }),
});

function readQueue(text: string): Partial<Settings> | string {
  if (text === 'off') return { queueLength: 0, queueSeconds: 0 };
  const [, length = '', seconds = ''] = QUEUE.exec(text) ?? [];
  if (length === '') return 'it is "off", or a number of requests and of seconds, like "100 5"';
  if (Number(length) > MOST_QUEUED || Number(seconds) > MOST_SECONDS)
    return `it is at most "${MOST_QUEUED} ${MOST_SECONDS}"`;
  return { queueLength: Number(length), queueSeconds: Number(seconds) };
}
