import { resolve } from 'node:path';
import type { RedisTls } from '../core/redis-address.ts';
import type { UrlRules } from '../core/url-rules.ts';
import { check } from './check.ts';
import { resolveAdmin } from './admin.ts';
import type { AdminConfig, DriverConfig } from './config.ts';
import { readDriverTls } from './driver-tls.ts';
import { resolveDriver } from './driver.ts';
import { Faults } from './faults.ts';
import { modernize } from './legacy.ts';
import { readFile } from './load.ts';
import { adminSection, driverTlsSection, serverSection } from './schema.ts';

/** What a program needs that looks at the routes, and at a router that runs, and serves nobody. */
export interface StoreSettings {
  readonly driver: DriverConfig;
  readonly driverTls: RedisTls;
  /** Null where the router has no admin interface. */
  readonly admin: AdminConfig | null;
  readonly urls: UrlRules;
  /** Seconds. */
  readonly storeTimeout: number;
}

/**
 * Reads of a configuration file what concerns the store and the admin interface, and no more: whoever edits routes need not be allowed to read
 * the certificates of sites.
 * @throws ConfigError with every fault found
 */
export function readStoreSettings(path: string): StoreSettings {
  const faults = new Faults();
  const keys = modernize(readFile(path, faults), () => {});
  const server = check(serverSection, keys['server'], 'server', faults);
  const driver = resolveDriver(keys['driver'], resolve(path), faults);
  const tlsFiles = check(driverTlsSection, keys['driverTls'], 'driverTls', faults);
  const driverTls = tlsFiles && readDriverTls(tlsFiles, driver, faults);
  const admin = resolveAdmin(check(adminSection, keys['admin'], 'admin', faults), [], faults);
  faults.throwIfAny();
  if (!server || !driver || !driverTls) throw new Error('a part of the configuration failed without a fault');
  const { storeTimeout, backendPath, legacyScheme } = server;
  return { driver, driverTls, admin, urls: { backendPath, legacyScheme }, storeTimeout };
}
