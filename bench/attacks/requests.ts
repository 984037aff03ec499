/** Attacks by requests: too many, for hosts and paths that do not exist, and to backends that do not serve them. */
import { randomBytes } from 'node:crypto';
import { Connections } from '../neighbours/connections.ts';
import { LIMITS, siteHost } from '../neighbours/tenants.ts';
import { ADDRESSES, type Attack, type Target } from './attack.ts';
import { paced } from './paced.ts';

/** Ten times what A may send. */
const FLOOD = LIMITS.perSecond * 10;
/** Longer than any attack. */
const LIMIT_MS = 3_600_000;

interface Kind {
  readonly name: string;
  readonly label: string;
  readonly perSecond: number;
  /** Connections, which is requests at a time. */
  readonly max: number;
  readonly request: () => string;
}

const get = (host: string, path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const random = (): string => randomBytes(8).toString('hex');

/** Of a site: as fast as it may, so that what is measured is not its rate limit. */
const toSite = (name: string, label: string, perSecond: number, max: number): Attack => {
  const request = get(siteHost(name));
  return requests({ name, label, perSecond, max, request: () => request });
};

export const flood = toSite('flood', 'flood at 10 times its share', FLOOD, 64);
export const hang = toSite('hang', 'backend that hangs', LIMITS.perSecond, 500);
export const refuse = toSite('refuse', 'backends that refuse', LIMITS.perSecond, 500);
export const drip = toSite('drip', 'backend that drips', LIMITS.perSecond, 500);

export const hosts = requests({
  name: 'hosts',
  label: 'unknown hosts',
  perSecond: FLOOD,
  max: 64,
  request: () => get(`${random()}.bench.test`),
});

export const paths = requests({
  name: 'paths',
  label: 'random paths',
  perSecond: FLOOD,
  max: 64,
  request: () => get(siteHost('paths'), `/${random()}/${random()}`),
});

function requests({ name, label, perSecond, max, request }: Kind): Attack {
  const run = async ({ port, seconds }: Target): Promise<number> => {
    const connections = new Connections({ port, max, limitMs: LIMIT_MS, addresses: ADDRESSES });
    let sent = 0;
    await paced(perSecond, seconds, () => {
      if (connections.ask(request(), () => {})) sent++;
    });
    connections.close();
    return sent;
  };
  return { name, label, run };
}
