import { resolve } from 'node:path';
import { readStoreSettings } from '../config/store-settings.ts';
import { type DriverUrl, parseDriverUrl } from '../core/driver-url.ts';
import type { RouteBook } from '../store/book.ts';
import { openBook } from '../store/open-book.ts';
import type { Surroundings } from '../vhosts/explain.ts';
import { type AdminAddress, configuredAdmin } from './admin-client.ts';
import { type Arguments, type Option, UsageError } from './usage.ts';

/** What all commands take that look at routes. */
export const STORE_OPTIONS: readonly Option[] = [
  { name: 'config', short: 'c', value: 'a file' },
  { name: 'driver', value: 'a URL' },
  { name: 'json' },
  { name: 'force' },
  { name: 'help', short: 'h' },
];

/** The time limit where no configuration says one, ms. */
const TIMEOUT_MS = 2000;

/** The routes, and the router that serves them, if it can be asked. */
export interface OpenedStore {
  readonly book: RouteBook;
  readonly admin: AdminAddress | null;
  /** What the configuration says of requests; nothing where none was named. */
  readonly surroundings: Omit<Surroundings, 'scheme'>;
}

/**
 * Opens the routes that the arguments name: by `--driver`, else by a configuration.
 * @param configPath the one to take when none is named
 * @throws UsageError, or ConfigError
 */
export function openStore({ values }: Arguments, configPath: string): OpenedStore {
  const driver = values.get('driver');
  if (driver !== undefined) {
    if (values.has('config')) throw new UsageError('give --config or --driver, not both');
    const url = urlOf(driver);
    return { book: openBook(url, url, { timeoutMs: TIMEOUT_MS }), admin: null, surroundings: { httpsPort: undefined } };
  }
  const settings = readStoreSettings(resolve(values.get('config') ?? configPath));
  const { read, write } = settings.driver;
  const timeoutMs = settings.storeTimeout * 1000;
  const book = openBook(parseDriverUrl(read, settings.driverTls), parseDriverUrl(write, settings.driverTls), {
    timeoutMs,
    urls: settings.urls,
  });
  const { httpsPort, options } = settings;
  const surroundings = { httpsPort, config: new Map(Object.entries(options)) };
  return { book, admin: configuredAdmin(settings.admin), surroundings };
}

function urlOf(text: string): DriverUrl {
  try {
    const url = parseDriverUrl(text);
    return url.scheme === 'file' ? { scheme: 'file', path: resolve(url.path) } : url;
  } catch (error) {
    throw new UsageError(`option "--driver" ${error instanceof Error ? error.message : String(error)}`);
  }
}
