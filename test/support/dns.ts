/** A DNS server that says what a test wants. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { TestContext } from 'node:test';

/** What it knows of a name: addresses of both families, or nothing to be said at all. */
export type Zone = Map<string, { readonly addresses: readonly string[]; readonly ttl: number } | 'silent'>;

export interface TestDns {
  /** For `askDns`. */
  readonly server: string;
  readonly zone: Zone;
  /** The names that were asked for, with the type: `A a.test`. */
  readonly asked: string[];
}

const TYPES: ReadonlyMap<number, 'A' | 'AAAA'> = new Map([
  [1, 'A'],
  [28, 'AAAA'],
]);

export async function startDns(t: TestContext): Promise<TestDns> {
  const zone: Zone = new Map();
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const { name, type, end } = questionOf(query);
    asked.push(`${type} ${name}`);
    const known = zone.get(name);
    if (known === 'silent') return;
    const fitting = (known?.addresses ?? []).filter((each) => isIPv6(each) === (type === 'AAAA'));
    const head = Buffer.from(query.subarray(0, 12));
    // A response, recursion available; name error where the name is not known.
    head.writeUInt16BE(0x8180 | (known === undefined ? 3 : 0), 2);
    head.writeUInt16BE(fitting.length, 6);
    head.writeUInt32BE(0, 8);
    const records = fitting.map((each) => recordOf(each, known?.ttl ?? 0));
    socket.send(Buffer.concat([head, query.subarray(12, end), ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, zone, asked };
}

function questionOf(query: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: TYPES.get(query.readUInt16BE(at + 1)) ?? '?', end: at + 5 };
}

function recordOf(address: string, ttl: number): Buffer {
  const data = isIPv6(address) ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const record = Buffer.alloc(12);
  // The name is that of the question.
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(isIPv6(address) ? 28 : 1, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(ttl, 6);
  record.writeUInt16BE(data.length, 10);
  return Buffer.concat([record, data]);
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function ipv6Bytes(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const [first, last] = [groups(left), groups(right)];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}
