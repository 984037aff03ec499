import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import type { AdminConfig, AdminPlace } from './config.ts';
import type { Faults } from './faults.ts';
import type { Place } from './listeners.ts';
import type { AdminSettings } from './schema.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * The section `admin`; null when there is none. Socket paths become absolute. Adds a fault for an address that other
 * machines can reach without a token, and for one that a listener for sites uses.
 */
export function resolveAdmin(
  settings: AdminSettings,
  listeners: readonly Pick<Place, 'path' | 'address' | 'port'>[],
  faults: Faults,
): AdminConfig | null {
  if (settings === null) return null;
  const { bind, port, token } = settings;
  const places = bind.map((where): AdminPlace => (isPath(where) ? socketAt(where) : { address: where, port }));
  if (places.length === 0) faults.add('admin.bind', 'names no address; leave "admin" out to have none');
  for (const place of places) {
    if ('socket' in place) continue;
    if (token === null && !isLoopback(place.address)) {
      faults.add('admin.token', `is required, because other machines can reach ${place.address}`);
    }
    const holder = listeners.find(({ address, port: taken }) => taken === port && address === place.address);
    if (holder !== undefined && port !== 0) {
      faults.add('admin.bind', `uses ${place.address} port ${port}, which ${holder.path} uses already`);
    }
  }
  return { places, token };
}

function isPath(where: string): boolean {
  return where.includes('/');
}

function socketAt(where: string): AdminPlace {
  return { socket: resolve(where.replace(/^unix:/, '')) };
}

function isLoopback(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return address === 'localhost';
  return LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
