import { censorDriverUrl } from '../core/routing/driver-url.ts';
import type { Config, DriverConfig } from './config.ts';
import type { Place, SecurePlace } from './listeners.ts';
import type {
  AdminSettings,
  DriverTlsSettings,
  HttpSettings,
  HttpsSettings,
  OtelSettings,
  ServerSettings,
} from './schema.ts';
import { INTERMEDIATE, type TlsFiles } from './tls.ts';

/** Prints a resolved configuration without its secrets. */

const CENSORED = '***';

/** The checked sections of a configuration file. */
export interface Settings {
  readonly backendTls: ServerSettings['backendTls'];
  readonly http: HttpSettings;
  readonly https: HttpsSettings;
  readonly driverTls: DriverTlsSettings;
  readonly admin: AdminSettings;
  readonly otel: OtelSettings;
  readonly places: readonly Place[];
  readonly securePlaces: readonly SecurePlace[];
  readonly user: string | number | null;
  readonly group: string | number | null;
}

/**
 * The configuration in the form of a configuration file, with every default: it can be used as one, except where a
 * secret was masked. Keys and certificates are shown as the names of their files.
 */
export function show(config: Config, settings: Settings): Readonly<Record<string, unknown>> {
  const { http, https, driverTls, otel, places, securePlaces, user, group } = settings;
  return {
    server: { ...config.server, backendTls: settings.backendTls, stickySecret: showSecret(config.server.stickySecret) },
    http: { port: http.port, proxyProtocol: http.proxyProtocol, http2: http.http2, bind: places.map(showPlace) },
    https: {
      port: https.port,
      proxyProtocol: https.proxyProtocol,
      http2: https.http2,
      ...showFiles(https),
      bind: securePlaces.map((place) => Object.assign(showPlace(place), showFiles(place.files))),
    },
    driver: showDriver(config.driver),
    driverTls: { ...driverTls, passphrase: showSecret(driverTls.passphrase) },
    cache: config.cache,
    options: config.options,
    admin: showAdmin(settings.admin),
    metrics: config.metrics,
    otel: { ...otel, headers: showFields(otel.headers) },
    user: config.runAs?.user ?? user,
    group: config.runAs?.group ?? group,
  };
}

function showPlace({ address, port, proxyProtocol, http2 }: Place): Record<string, unknown> {
  return { address, port, proxyProtocol, http2 };
}

function showAdmin(admin: AdminSettings): Record<string, unknown> | null {
  return admin && { ...admin, token: showSecret(admin.token) };
}

function showFiles({ passphrase, ciphers, ...rest }: TlsFiles): Record<string, unknown> {
  const { key, cert, ca, minVersion, clientCa, clientCert, clientCertPem } = rest;
  const shown = { key, cert, ca, passphrase: showSecret(passphrase), ciphers: ciphers ?? INTERMEDIATE, minVersion };
  return { ...shown, clientCa, clientCert, clientCertPem };
}

function showSecret(secret: string | null): string | null {
  return secret === null ? null : CENSORED;
}

/** Most of these fields have a secret. */
function showFields(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, CENSORED]));
}

function showDriver({ read, write }: DriverConfig): string | readonly string[] {
  return read === write ? censorDriverUrl(read) : [censorDriverUrl(read), censorDriverUrl(write)];
}
