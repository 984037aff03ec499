import type { ListenerConfig } from './config.ts';
import type { Faults } from './faults.ts';
import type { HttpSettings, HttpsSettings } from './schema.ts';
import { readTls, type TlsFiles } from './tls.ts';

/** Makes listeners from the sections `http` and `https`. */

/** A listener before its files are read, as `--dry` may show it. */
export interface Place {
  /** Its path in the file: `https.bind[0]`. */
  readonly path: string;
  readonly address: string;
  readonly port: number;
  readonly proxyProtocol: ListenerConfig['proxyProtocol'];
  readonly http2: boolean;
}

/** A TLS listener before its files are read. */
export interface SecurePlace extends Place {
  readonly files: TlsFiles;
  /** Which of `files` the listener has itself, in contrast to its section. */
  readonly own: ReadonlySet<string>;
}

/** The plain listeners. */
export function placesOf({ bind, port, proxyProtocol, http2 }: HttpSettings): readonly Place[] {
  return bind.map((place, index) => ({
    path: `http.bind[${index}]`,
    address: place.address,
    port: place.port ?? port,
    proxyProtocol: place.proxyProtocol ?? proxyProtocol,
    http2: place.http2 ?? http2,
  }));
}

/** The TLS listeners. Each inherits missing keys from the section. */
export function securePlacesOf(https: HttpsSettings): readonly SecurePlace[] {
  return https.bind.map((place, index) => {
    const hasOwnKey = place.key !== null && place.key !== https.key;
    const own = new Set(Object.entries(place).flatMap(([field, value]) => (isGiven(value) ? [field] : [])));
    // A passphrase belongs to its key, and cannot open another.
    if (hasOwnKey) own.add('passphrase');
    return {
      path: `https.bind[${index}]`,
      address: place.address,
      port: place.port ?? https.port,
      proxyProtocol: place.proxyProtocol ?? https.proxyProtocol,
      http2: place.http2 ?? https.http2,
      files: {
        key: place.key ?? https.key,
        cert: place.cert ?? https.cert,
        ca: place.ca.length > 0 ? place.ca : https.ca,
        passphrase: place.passphrase ?? (hasOwnKey ? null : https.passphrase),
        ciphers: place.ciphers ?? https.ciphers,
        minVersion: place.minVersion ?? https.minVersion,
        clientCa: place.clientCa.length > 0 ? place.clientCa : https.clientCa,
        clientCert: place.clientCert ?? https.clientCert,
        clientCertPem: place.clientCertPem ?? https.clientCertPem,
      },
      own,
    };
  });
}

/** Listeners with the contents of their files. Adds a fault for each that cannot be read. */
export function resolveListeners(
  places: readonly Place[],
  securePlaces: readonly SecurePlace[],
  faults: Faults,
): readonly ListenerConfig[] {
  const plain = places.map((place) => ({ ...sharedOf(place), tls: null }));
  const secure = securePlaces.flatMap((place) => {
    const { path, files, own } = place;
    const tls = readTls(files, (field) => (own.has(field) ? `${path}.${field}` : `https.${field}`), faults);
    return tls ? [{ ...sharedOf(place), tls }] : [];
  });
  return [...plain, ...secure];
}

function sharedOf({ address, port, proxyProtocol, http2 }: Place): Omit<ListenerConfig, 'tls'> {
  return { address, port, proxyProtocol, http2 };
}

/** Adds a fault when there is no listener, and one for each address that two listeners use. */
export function checkPlaces(places: readonly Place[], faults: Faults): void {
  if (places.length === 0)
    faults.add('http.bind', 'has no address, and neither has https.bind: the router would not listen');
  const taken = new Map<string, string>();
  for (const { path, address, port } of places) {
    const place = `${address} port ${port}`;
    const holder = taken.get(place);
    if (holder !== undefined) faults.add(path, `uses ${place}, which ${holder} uses already`);
    else if (port !== 0) taken.set(place, path);
  }
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}
