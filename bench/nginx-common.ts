/** What every nginx of the benchmark has in common. */
import { join } from 'node:path';

/** Requests on one connection: nginx closes it after 1,000 otherwise, which is not what is measured. */
export const ENDLESS = 1_000_000_000;

/** The first lines of a configuration, up to the place within `http` that is left open. */
export const NGINX_COMMON = (folder: string, workers: number, modules: readonly string[] = []): string =>
  `${modules.map((path) => `load_module ${path};\n`).join('')}daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workers};
worker_rlimit_nofile 65536;
pid ${join(folder, 'nginx.pid')};
error_log stderr error;
events { worker_connections 32768; }
http {
  default_type text/plain;
  keepalive_timeout 600;
  keepalive_requests ${ENDLESS};
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`).join(' ')}`;

/** Runs the `nginx.conf` of a folder. */
export function nginxCommand(folder: string): readonly string[] {
  return ['nginx', '-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
}
