/** The admin interface of a running router, as an operator's tools ask it. */
import { request } from 'node:http';
import type { Router } from './router.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The text, read as JSON. */
  readonly json: unknown;
}

export interface AdminAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Where it is: a port, or a Unix socket. */
export type AdminAddress = { readonly port: number } | { readonly socketPath: string };

/** Waits until a router's admin interface can be asked, for the `from`th log entry on. */
export async function adminOf(router: Router, from = 0): Promise<AdminAddress> {
  const { listening } = await router.event('admin-ready', from);
  const [where = ''] = listening as string[];
  return where.startsWith('unix:') ? { socketPath: where.slice(5) } : { port: Number(new URL(where).port) };
}

/** Asks it something. */
export function askAdmin(
  address: AdminAddress,
  path: string,
  { method = 'GET', headers = {}, body }: AdminAsk = {},
): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', ...address, path, method, headers, agent: false, timeout: 20_000 } as const;
    const out = request(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.once('error', reject);
      answer.once('end', () => {
        const isJson = answer.headers['content-type'] === 'application/json';
        const json: unknown = isJson && text !== '' ? JSON.parse(text) : null;
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json });
      });
    });
    out.once('error', reject);
    out.once('timeout', () => out.destroy(new Error('no answer within 20 s')));
    out.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/** The value of a metric, by its name and labels as Prometheus's text writes them; 0 when it is not there. */
export async function metric(address: AdminAddress, name: string): Promise<number> {
  const { text } = await askAdmin(address, '/metrics');
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
