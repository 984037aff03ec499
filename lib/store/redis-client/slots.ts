/** The rules of cluster slots, without the nodes. */
import type { Endpoint } from '../../core/routing/redis-address.ts';
import type { RedisCommand } from './protocol.ts';

/** The number of slots of a cluster. */
export const SLOTS = 16_384;

/** The slot map, as one node reports it. */
export interface SlotMap {
  readonly ranges: readonly SlotRange[];
  /** Of all ranges; may have duplicates. */
  readonly replicas: readonly Endpoint[];
}

/** A range of slots, and the node that serves it. */
export interface SlotRange {
  readonly from: number;
  /** The last one. */
  readonly to: number;
  readonly master: Endpoint;
}

/** Where a command is redirected to. `isForOnce`: the slot is being migrated, and ASKING must be sent first. */
export interface Redirection {
  readonly slot: number;
  readonly to: Endpoint;
  readonly isForOnce: boolean;
}

/** The slot of a key: of the text in its first braces, if there is any. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % SLOTS;
}

/** The slot of a command's key; null when any node will do. */
export function slotOfCommand([name, first, , third]: RedisCommand): number | null {
  switch (name) {
    case 'ping':
    case 'publish':
    case 'cluster':
      return null;
    case 'eval':
    case 'evalsha':
      return third === undefined ? null : slotOf(third);
    default:
      return first === undefined ? null : slotOf(first);
  }
}

/**
 * Parses the reply to CLUSTER SLOTS.
 * @param asked the host of the node that replied: a node that does not know its own address omits it
 * @returns null for an invalid reply, or one without nodes
 */
export function slotMapOf(reply: unknown, asked: string): SlotMap | null {
  if (!Array.isArray(reply)) return null;
  const ranges: SlotRange[] = [];
  const replicas: Endpoint[] = [];
  for (const range of reply as readonly unknown[]) {
    if (!Array.isArray(range)) return null;
    const [from, to, ...servers]: unknown[] = range;
    if (!isSlot(from) || !isSlot(to)) return null;
    const [master, ...others] = servers.map((server) => endpointOf(server, asked));
    if (master) ranges.push({ from, to, master });
    replicas.push(...others.filter((other) => other !== null));
  }
  return ranges.length === 0 ? null : { ranges, replicas };
}

/** Parses a MOVED or ASK error; null for other errors, or without a node. */
export function redirectionOf({ message }: Error, asked: string): Redirection | null {
  const [, kind, slot, host = '', port] = /^(MOVED|ASK) ([0-9]{1,5}) ([^?\s]*):([0-9]{1,5})$/.exec(message) ?? [];
  if (!isSlot(Number(slot))) return null;
  return {
    slot: Number(slot),
    to: { host: host === '' ? asked : host, port: Number(port) },
    isForOnce: kind === 'ASK',
  };
}

function endpointOf(server: unknown, asked: string): Endpoint | null {
  if (!Array.isArray(server)) return null;
  const [host, port]: unknown[] = server;
  if (typeof port !== 'number' || host === '?') return null;
  return { host: typeof host === 'string' && host !== '' ? host : asked, port };
}

function isSlot(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < SLOTS;
}

/** CRC-16/XMODEM of the text in UTF-8. */
function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}
