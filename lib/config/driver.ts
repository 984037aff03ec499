import { dirname, resolve } from 'node:path';
import { parseDriverUrl } from '../core/routing/driver-url.ts';
import { check } from './check.ts';
import type { DriverConfig } from './config.ts';
import type { Faults } from './faults.ts';
import { oneDriver, severalDrivers } from './schema.ts';

/**
 * The store to read from and the one to write to; null with faults added. A relative `file:` path starts from the
 * configuration's folder, so that the two can be moved together.
 * @param given the value of the key `driver`: one URL, or [read, write]
 * @param configPath the configuration file, absolute
 */
export function resolveDriver(given: unknown, configPath: string, faults: Faults): DriverConfig | null {
  if (!Array.isArray(given)) {
    const url = check(oneDriver, given, 'driver', faults);
    return url === null ? null : same(locate(url, configPath));
  }
  const urls = check(severalDrivers, given, 'driver', faults);
  if (urls === null) return null;
  const [read, write, ...more] = urls.map((url) => locate(url, configPath));
  if (read === undefined || more.length > 0) {
    faults.add('driver', 'must be one URL, or two: [read, write]');
    return null;
  }
  if (write === undefined) return same(read);
  if (isFile(read) || isFile(write)) {
    faults.add('driver', 'must be one URL when it is a file');
    return null;
  }
  return { read, write };
}

function same(url: string): DriverConfig {
  return { read: url, write: url };
}

function isFile(url: string): boolean {
  return url.startsWith('file:');
}

function locate(url: string, configPath: string): string {
  const parsed = parseDriverUrl(url);
  return parsed.scheme === 'file' ? `file:${resolve(dirname(configPath), parsed.path)}` : url;
}
