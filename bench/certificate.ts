/** A certificate for the hosts of the benchmark: EC, P-256, signed by itself, for two days. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIMIT_MS = 10_000;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as haproxy wants them. */
  readonly both: string;
}

export function makeCertificate(folder: string): Certificate {
  const path = (name: string): string => join(folder, name);
  const made = { cert: path('cert.pem'), key: path('key.pem'), both: path('both.pem') };
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=bench.test', '-addext', 'subjectAltName=DNS:*.bench.test'];
  execFileSync('openssl', [...kind, ...names, '-keyout', made.key, '-out', made.cert], {
    stdio: 'ignore',
    timeout: LIMIT_MS,
  });
  writeFileSync(made.both, `${readFileSync(made.cert, 'utf8')}${readFileSync(made.key, 'utf8')}`);
  return made;
}
