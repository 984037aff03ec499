/**
 * hipache-hchecker 0.2.4, as it behaves towards Redis and backends: the same commands in the same spelling and order, the
 * same reading of announcements, the same decisions. Its period, 3 s, is the test's to choose.
 */
import { request } from 'node:http';
import type { Owner } from './redis.ts';
import { connectResp, type RespConnection } from './resp.ts';

/** How long one check may take, ms. */
const CHECK_MS = 3_000;
/** Between two signs of life, ms. */
const PING_MS = 10_000;

/** Of one backend: where it stands in the lists of which frontends. */
type Mapping = Map<string, number>;

export class HipacheHchecker {
  /** What it writes to its log, without the URLs' check results. */
  readonly said: string[] = [];
  /** Results of checks, by the URL. */
  readonly checks: { readonly url: string; readonly isWell: boolean }[] = [];
  readonly #owner: Owner;
  readonly #port: number;
  readonly #periodMs: number;
  readonly #id: string;
  readonly #mappings = new Map<string, Mapping>();
  /** Backends whose next result counts as the first. */
  readonly #again = new Set<string>();
  #commands: RespConnection | null = null;
  #looks: RespConnection | null = null;
  #isStopped = false;

  constructor(owner: Owner, port: number, periodMs: number, id: string) {
    this.#owner = owner;
    this.#port = port;
    this.#periodMs = periodMs;
    this.#id = id;
  }

  async start(): Promise<void> {
    this.#commands = await connectResp(this.#owner, this.#port);
    this.#looks = await connectResp(this.#owner, this.#port);
    await this.#commands.call('DEL', 'hchecker');
    const subscriber = await connectResp(this.#owner, this.#port);
    subscriber.onMessage = (_channel, line) => void this.#add(line);
    await subscriber.call('SUBSCRIBE', 'dead');
    await this.#ping();
    const timer = setInterval(() => void this.#ping(), PING_MS);
    this.#owner.after(async () => {
      this.#isStopped = true;
      clearInterval(timer);
    });
  }

  async #ping(): Promise<void> {
    await this.#commands?.call('SET', 'hchecker_ping', String(Math.floor(Date.now() / 1000)));
  }

  async #add(line: string): Promise<void> {
    const check = readLine(line);
    if (check === null) {
      this.said.push(`Warning: got invalid data on the "dead" channel: ${line}`);
      return;
    }
    if (check.length <= 1 || !(await this.#lock(check))) return;
    this.said.push(`${check.url} Added check`);
    await this.#pingUrl(check.url);
    this.said.push(`${check.url} Removed check`);
    await this.#unlock(check.url);
  }

  /** @returns whether the backend is to be checked, and was not */
  async #lock({ url, host, id }: Announced): Promise<boolean> {
    const mine = `${url};${this.#id}`;
    const replies = await this.#commands?.send(
      ['MULTI'],
      ['HSETNX', 'hchecker', url, '1'],
      ['HEXISTS', 'hchecker', mine],
      ['EXEC'],
    );
    const [isLocked, isMine] = Array.isArray(replies?.[3]) ? replies[3] : [];
    if (isLocked !== 1 && isMine !== 1) return false;
    const mapping = this.#mappings.get(url) ?? new Map<string, number>();
    mapping.set(host, id);
    this.#mappings.set(url, mapping);
    this.#again.add(url);
    if (isLocked !== 1) return false;
    await this.#commands?.send(['HSET', 'hchecker', url, `${this.#id};0.0`], ['HSET', 'hchecker', mine, '1']);
    return true;
  }

  async #unlock(url: string): Promise<void> {
    await this.#commands?.call('HDEL', 'hchecker', url, `${url};${this.#id}`);
    this.#mappings.delete(url);
  }

  async #pingUrl(url: string): Promise<void> {
    let status = false;
    while (!this.#isStopped) {
      const isFirst = this.#again.delete(url);
      const isWell = await head(url);
      this.checks.push({ url, isWell });
      if (isWell !== status || isFirst) {
        this.said.push(`${url} Flagging ${isWell ? 'alive' : 'dead'}`);
        if (!(await this.#mark(url, isWell))) {
          this.said.push(`${url} Backend not found in Redis`);
          return;
        }
      }
      status = isWell;
      await new Promise((resolve) => setTimeout(resolve, this.#periodMs));
    }
  }

  /** @returns whether a frontend is left that has the backend where it was announced */
  async #mark(url: string, isWell: boolean): Promise<boolean> {
    const mapping = this.#mappings.get(url) ?? new Map<string, number>();
    const commands: string[][] = [['MULTI']];
    for (const [host, id] of mapping) {
      const listed = await this.#looks?.call('LINDEX', `frontend:${host}`, String(id + 1));
      if (listed !== url) {
        this.said.push(`${url} Mapping changed for ${host}`);
        mapping.delete(host);
        continue;
      }
      if (isWell) commands.push(['SREM', `dead:${host}`, String(id)]);
      else commands.push(['SADD', `dead:${host}`, String(id)], ['EXPIRE', `dead:${host}`, '60']);
    }
    await this.#commands?.send(...commands, ['EXEC']);
    return mapping.size > 0;
  }
}

interface Announced {
  readonly host: string;
  readonly url: string;
  readonly id: number;
  readonly length: number;
}

/** A message as it reads it; null when it gives a warning. */
function readLine(line: string): Announced | null {
  const parts = line.trim().split(';');
  if (parts.length !== 4) return null;
  const [host = '', text = '', id = '', length = ''] = parts;
  const url = originByGo(text);
  return url === null
    ? null
    : { host, url, id: Number.parseInt(id, 10) || 0, length: Number.parseInt(length, 10) || 0 };
}

/** Go's `u.Scheme://u.Host`: scheme in lower case, host as written, without a user. Null where url.Parse fails. */
function originByGo(text: string): string | null {
  const [, scheme = '', authority = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text) ?? [];
  if (scheme === '' || /[\s\0]/.test(text)) return null;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (host.startsWith('[') && !host.includes(']')) return null;
  return `${scheme.toLowerCase()}://${host}`;
}

/** HEAD as Go's transport sends it. 503 is well, as are all but 5xx. */
function head(url: string): Promise<boolean> {
  // "unsupported protocol scheme"
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') return Promise.resolve(false);
  return new Promise((resolve) => {
    const headers = { Host: 'ping', 'User-Agent': 'dotCloud-HealthCheck/0.2.4 go1.2', Connection: 'close' };
    const options = { method: 'HEAD', path: '/CloudHealthCheck', agent: false, headers, timeout: CHECK_MS } as const;
    const out = request(url, options, ({ statusCode = 0 }) => {
      resolve(statusCode < 500 || statusCode > 599 || statusCode === 503);
      out.destroy();
    });
    out.once('timeout', () => out.destroy());
    out.once('error', () => resolve(false));
    out.end();
  });
}
