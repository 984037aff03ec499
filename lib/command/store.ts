import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { isPackaged } from '../config/package.ts';
import { readStoreSettings } from '../config/store-settings.ts';
import type { BackendTls } from '../core/routing/backend-tls.ts';
import { type DriverUrl, parseDriverUrl } from '../core/routing/driver-url.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { openEditor } from '../store/drivers/open-editor.ts';
import { openFleet } from '../store/drivers/open-fleet.ts';
import type { Fleet } from '../store/fleet.ts';
import type { Surroundings } from '../diagnostics/explain.ts';
import { type AdminAddress, configuredAdmin } from './admin-client.ts';
import { CommandFailure } from './command.ts';
import { type Arguments, type Option, UsageError } from './usage.ts';

/** The options of all commands that read routes. */
export const STORE_OPTIONS: readonly Option[] = [
  { name: 'config', short: 'c', value: 'a file' },
  { name: 'driver', value: 'a URL' },
  { name: 'json' },
  { name: 'force' },
  { name: 'help', short: 'h' },
];

/** The time limit when no configuration has one, ms. */
const TIMEOUT_MS = 2000;

/** The routes, and the admin interface of the router that serves them. */
export interface OpenedStore {
  readonly editor: RouteEditor;
  readonly admin: AdminAddress | null;
  /** The settings of the configuration that matter to requests; empty without a configuration. */
  readonly surroundings: Omit<Surroundings, 'scheme'>;
  /** How the router verifies the certificates of backends. @throws ConfigError */
  readonly backendTls: () => BackendTls;
  /** Connects to the routers of the store, by their heartbeats; null for a routes file. */
  readonly openFleet: () => Fleet | null;
}

/** Without a configuration. */
const USUAL_TLS: BackendTls = { verify: true, ca: [] };

/**
 * Opens the routes that the arguments name: by `--driver`, else by a configuration.
 * @param configPath the configuration to use when none is named; null if there is none
 * @param command what the log of changes names beside the operator
 * @throws UsageError, ConfigError, or CommandFailure when nothing names a store
 */
export function openStore({ values }: Arguments, configPath: string | null, command = ''): OpenedStore {
  const by = command === '' ? operator() : `${operator()} ${command}`;
  const driver = values.get('driver');
  if (driver !== undefined) {
    if (values.has('config')) throw new UsageError('give --config or --driver, not both');
    const url = urlOf(driver);
    const editor = openEditor(url, url, { timeoutMs: TIMEOUT_MS, isPackaged, by });
    return {
      editor,
      admin: null,
      surroundings: { httpsPort: undefined },
      backendTls: () => USUAL_TLS,
      openFleet: () => openFleet(url, TIMEOUT_MS),
    };
  }
  const path = values.get('config') ?? configPath;
  if (path === null) throw noStore();
  const settings = readStoreSettings(resolve(path), process.env);
  const { read, write } = settings.driver;
  const timeoutMs = settings.storeTimeout * 1000;
  const editor = openEditor(parseDriverUrl(read, settings.driverTls), parseDriverUrl(write, settings.driverTls), {
    timeoutMs,
    urls: settings.urls,
    isPackaged,
    by,
  });
  const { httpsPort, zone, caps, options, backendTls } = settings;
  const surroundings = { httpsPort, zone, caps, config: new Map(Object.entries(options)) };
  const fleet = (): Fleet | null => openFleet(parseDriverUrl(write, settings.driverTls), timeoutMs);
  return { editor, admin: configuredAdmin(settings.admin), surroundings, backendTls, openFleet: fleet };
}

/** Who makes the edits, for the log of changes: `alice@host`, also by sudo. */
function operator(): string {
  return `${process.env['SUDO_USER'] ?? nameOfUser()}@${hostname()}`;
}

/** A user without a name, as in a container, has a number. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

function noStore(): CommandFailure {
  const choice = 'give --config FILE or --driver URL, set HIPACHE_CONFIG, or make /etc/hipache.json';
  return new CommandFailure('no-store', `no configuration says where the routes are: ${choice}`);
}

function urlOf(text: string): DriverUrl {
  try {
    const url = parseDriverUrl(text);
    return url.scheme === 'file' ? { scheme: 'file', path: resolve(url.path) } : url;
  } catch (error) {
    throw new UsageError(`option "--driver" ${error instanceof Error ? error.message : String(error)}`);
  }
}
