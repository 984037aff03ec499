import { resolve } from 'node:path';
import type { RedisTls } from '../core/routing/redis-address.ts';
import type { BackendTls } from '../core/routing/backend-tls.ts';
import type { UrlRules } from '../core/routing/url-rules.ts';
import { check } from './check.ts';
import { resolveAdmin } from './admin.ts';
import type { AdminConfig, DriverConfig } from './config.ts';
import { readDriverTls } from './driver-tls.ts';
import { resolveDriver } from './driver.ts';
import { withEnvironment } from './environment.ts';
import { Faults } from './faults.ts';
import { modernize } from './legacy.ts';
import { securePlacesOf } from './listeners.ts';
import { readFile, resolveOptions } from './load.ts';
import { siteCaps } from './site-caps.ts';
import { resolveTimeouts } from './timeouts.ts';
import { readBackendTls } from './tls.ts';
import { adminSection, driverTlsSection, httpsSection, optionsSection, serverSection } from './schema.ts';

/** The settings for programs that read routes, or query a running router, without serving. */
export interface StoreSettings {
  readonly driver: DriverConfig;
  readonly driverTls: RedisTls;
  /** Null if the router has no admin interface. */
  readonly admin: AdminConfig | null;
  readonly urls: UrlRules;
  /** Seconds. */
  readonly storeTimeout: number;
  /** The default options of frontends. */
  readonly options: Readonly<Record<string, string>>;
  /** The router's zone; null without. */
  readonly zone: string | null;
  /** The limits that no site's own may exceed: see site-caps.ts. */
  readonly caps: ReadonlyMap<string, number>;
  /** The port where the router's clients can use TLS; null where they cannot, undefined when it is unknown. */
  readonly httpsPort: number | null | undefined;
  /** Reads the authorities of backends: only programs that connect to backends need to. @throws ConfigError */
  readonly backendTls: () => BackendTls;
}

/**
 * Reads only those parts of a configuration file that concern the store and the admin interface: users who edit routes
 * need no permission to read the certificates of sites.
 * @param env environment variables with keys
 * @throws ConfigError with every fault found
 */
export function readStoreSettings(path: string, env: NodeJS.ProcessEnv = {}): StoreSettings {
  const faults = new Faults();
  const keys = withEnvironment(
    modernize(readFile(path, faults), () => {}),
    env,
    faults,
  );
  const server = check(serverSection, keys['server'], 'server', faults);
  const driver = resolveDriver(keys['driver'], resolve(path), faults);
  const tlsFiles = check(driverTlsSection, keys['driverTls'], 'driverTls', faults);
  const driverTls = tlsFiles && readDriverTls(tlsFiles, driver, faults);
  const admin = resolveAdmin(check(adminSection, keys['admin'], 'admin', faults), [], faults);
  const options = check(optionsSection, keys['options'], 'options', faults);
  faults.throwIfAny();
  if (!server || !driver || !driverTls || !options)
    throw new Error('a part of the configuration failed without a fault');
  const { storeTimeout, backendPath, legacyScheme, zone } = server;
  return {
    driver,
    driverTls,
    admin,
    urls: { backendPath, legacyScheme },
    storeTimeout,
    options: resolveOptions(options),
    zone,
    caps: siteCaps(resolveTimeouts(server.timeouts, server.tcpTimeout), server.limits),
    httpsPort: httpsPortOf(keys),
    backendTls: () => {
      const tls = readBackendTls(server, faults);
      faults.throwIfAny();
      if (!tls) throw new Error('the authorities of backends failed without a fault');
      return tls;
    },
  };
}

/** Other faults of the section are reported by the router. */
function httpsPortOf(keys: Readonly<Record<string, unknown>>): number | null | undefined {
  const https = check(httpsSection, keys['https'], 'https', new Faults());
  return https ? (securePlacesOf(https)[0]?.port ?? null) : undefined;
}
