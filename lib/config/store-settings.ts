import { resolve } from 'node:path';
import type { RedisTls } from '../core/routing/redis-address.ts';
import type { UrlRules } from '../core/routing/url-rules.ts';
import { check } from './check.ts';
import { resolveAdmin } from './admin.ts';
import type { AdminConfig, DriverConfig } from './config.ts';
import { readDriverTls } from './driver-tls.ts';
import { resolveDriver } from './driver.ts';
import { Faults } from './faults.ts';
import { modernize } from './legacy.ts';
import { securePlacesOf } from './listeners.ts';
import { readFile, resolveOptions } from './load.ts';
import { adminSection, driverTlsSection, httpsSection, optionsSection, serverSection } from './schema.ts';

/** What a program needs that looks at the routes, and at a router that runs, and serves nobody. */
export interface StoreSettings {
  readonly driver: DriverConfig;
  readonly driverTls: RedisTls;
  /** Null where the router has no admin interface. */
  readonly admin: AdminConfig | null;
  readonly urls: UrlRules;
  /** Seconds. */
  readonly storeTimeout: number;
  /** What frontends have that say nothing else. */
  readonly options: Readonly<Record<string, string>>;
  /** Where the router speaks TLS with clients; null where it does not, undefined where that cannot be told. */
  readonly httpsPort: number | null | undefined;
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
  const options = check(optionsSection, keys['options'], 'options', faults);
  faults.throwIfAny();
  if (!server || !driver || !driverTls || !options)
    throw new Error('a part of the configuration failed without a fault');
  const { storeTimeout, backendPath, legacyScheme } = server;
  return {
    driver,
    driverTls,
    admin,
    urls: { backendPath, legacyScheme },
    storeTimeout,
    options: resolveOptions(options),
    httpsPort: httpsPortOf(keys),
  };
}

/** What else is wrong there is the router's to tell. */
function httpsPortOf(keys: Readonly<Record<string, unknown>>): number | null | undefined {
  const https = check(httpsSection, keys['https'], 'https', new Faults());
  return https ? (securePlacesOf(https)[0]?.port ?? null) : undefined;
}
