import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why tests that need certificates cannot run here, for `skip`; false when they can. */
export const noOpenssl: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'the command openssl is not installed';

/** A self-signed certificate and its key, as files and as text. */
export interface Pair {
  readonly keyFile: string;
  readonly certFile: string;
  readonly key: string;
  readonly cert: string;
}

/** What `openssl req` is told of the key that it makes. */
const KEYS = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
} as const;

export type KeyKind = keyof typeof KEYS;

/**
 * Makes `<name>.key` and `<name>.crt` in a folder, valid for a day.
 * @param passphrase encrypts the key
 */
export function makePair(folder: string, name: string, passphrase?: string, kind: KeyKind = 'ec'): Pair {
  const keyFile = join(folder, `${name}.key`);
  const certFile = join(folder, `${name}.crt`);
  const secret = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
  const form = ['req', '-x509', ...KEYS[kind], '-days', '1'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', [...form, ...names, '-keyout', keyFile, '-out', certFile, ...secret], { stdio: 'pipe' });
  return { keyFile, certFile, key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
}

/**
 * Makes `<name>.key` and `<name>.crt`, signed by another pair rather than by itself.
 * @param isAuthority lets it sign others in turn
 */
export function makeSigned(
  folder: string,
  name: string,
  issuer: Pair,
  isAuthority = false,
  kind: KeyKind = 'ec',
): Pair {
  const keyFile = join(folder, `${name}.key`);
  const certFile = join(folder, `${name}.crt`);
  const requestFile = join(folder, `${name}.csr`);
  const extensionFile = join(folder, `${name}.ext`);
  writeFileSync(extensionFile, isAuthority ? 'basicConstraints=CA:TRUE\n' : `subjectAltName=DNS:${name}\n`);
  const form = ['req', '-new', ...KEYS[kind], '-nodes'];
  execFileSync('openssl', [...form, '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', requestFile], {
    stdio: 'pipe',
  });
  const signing = ['x509', '-req', '-in', requestFile, '-CA', issuer.certFile, '-CAkey', issuer.keyFile];
  const rest = ['-CAcreateserial', '-days', '1', '-extfile', extensionFile, '-out', certFile];
  execFileSync('openssl', [...signing, ...rest], { stdio: 'pipe' });
  return { keyFile, certFile, key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
}

/** Makes a pair like `makePair`, of a certificate that has ended. */
export function makeExpired(folder: string, name: string): Pair {
  const { keyFile, certFile, key } = makePair(folder, name);
  const requestFile = join(folder, `${name}.csr`);
  const options = { stdio: 'pipe' } as const;
  execFileSync('openssl', ['req', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-out', requestFile], options);
  const database = join(folder, `${name}.db`);
  const configFile = join(folder, `${name}.cnf`);
  writeFileSync(database, '');
  writeFileSync(
    configFile,
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${database}\nnew_certs_dir=${folder}\ndefault_md=sha256\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n`,
  );
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'];
  const files = ['-in', requestFile, '-out', certFile, '-keyfile', keyFile, '-notext', '-batch', '-selfsign'];
  execFileSync('openssl', ['ca', '-config', configFile, ...dates, ...files], options);
  return { keyFile, certFile, key, cert: readFileSync(certFile, 'utf8') };
}
