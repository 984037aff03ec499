/**
 * PlanB's monitor (its flag --active-healthcheck), as it behaves towards Redis and backends: the same commands in the same
 * spelling and order, the same reading of announcements, the same decisions. Its period, 1 s, is the test's to choose.
 */
import { request } from 'node:http';
import type { Owner } from './redis.ts';
import { connectResp, type RespConnection } from './resp.ts';

/** How long one check may take, ms. */
const CHECK_MS = 15_000;

/** What one check of a backend led to. */
export interface MonitorCheck {
  readonly entry: string;
  readonly isWell: boolean;
  /** The URL that was asked for; null when none could be made of the entry. */
  readonly url: string | null;
}

export class PlanbMonitor {
  readonly checks: MonitorCheck[] = [];
  /** Entries that it has ended to watch, and why. */
  readonly ended: { readonly entry: string; readonly why: 'well' | 'not in the list' | 'another has it' }[] = [];
  readonly #owner: Owner;
  readonly #port: number;
  readonly #periodMs: number;
  /** The host name of the machine, in the real one. */
  readonly #id: string;
  readonly #watched = new Set<string>();
  #isStopped = false;

  constructor(owner: Owner, port: number, periodMs: number, id: string) {
    this.#owner = owner;
    this.#port = port;
    this.#periodMs = periodMs;
    this.#id = id;
  }

  async start(): Promise<void> {
    const subscriber = await connectResp(this.#owner, this.#port);
    subscriber.onMessage = (_channel, message) => void this.#watch(message);
    await subscriber.call('subscribe', 'dead');
    this.#owner.after(async () => {
      this.#isStopped = true;
    });
  }

  async #watch(message: string): Promise<void> {
    const parts = message.split(';');
    if (parts.length !== 4) return;
    const [host = '', entry = ''] = parts;
    const name = `${host}-${entry}`;
    if (this.#watched.has(name)) return;
    this.#watched.add(name);
    const redis = await connectResp(this.#owner, this.#port);
    const why = await this.#follow(redis, host, entry);
    if (why !== null) this.ended.push({ entry, why });
    redis.close();
    this.#watched.delete(name);
  }

  /** Checks a backend until it is well, its entry is gone, or another monitor has it. */
  async #follow(redis: RespConnection, host: string, entry: string): Promise<PlanbMonitor['ended'][0]['why'] | null> {
    if (!(await this.#reserve(redis, host, entry))) return 'another has it';
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, this.#periodMs));
      if (this.#isStopped) return null;
      if (!(await this.#reserve(redis, host, entry))) return 'another has it';
      const isWell = await this.#check(redis, host, entry);
      const isListed = await this.#update(redis, host, entry, isWell);
      if (isListed && !isWell) continue;
      await redis.call('del', `dead:${host}:${entry}`);
      return isListed ? 'well' : 'not in the list';
    }
  }

  async #reserve(redis: RespConnection, host: string, entry: string): Promise<boolean> {
    const key = `dead:${host}:${entry}`;
    await redis.call('WATCH', key);
    const holder = await redis.call('get', key);
    const isFree = typeof holder !== 'string' || holder === '' || holder === this.#id;
    const replies = isFree ? await redis.send(['MULTI'], ['set', key, this.#id, 'ex', '30'], ['EXEC']) : [];
    await redis.call('UNWATCH');
    return isFree && Array.isArray(replies[2]);
  }

  /** @returns whether the entry is in the list */
  async #update(redis: RespConnection, host: string, entry: string, isWell: boolean): Promise<boolean> {
    await redis.call('WATCH', `frontend:${host}`);
    const entries = await redis.call('lrange', `frontend:${host}`, '1', '-1');
    const id = Array.isArray(entries) ? entries.indexOf(entry) : -1;
    const dead = `dead:${host}`;
    if (id >= 0 && isWell) await redis.send(['MULTI'], ['srem', dead, String(id)], ['EXEC']);
    if (id >= 0 && !isWell) {
      await redis.send(['MULTI'], ['sadd', dead, String(id)], ['expire', dead, '30'], ['EXEC']);
    }
    await redis.call('UNWATCH');
    return id >= 0;
  }

  async #check(redis: RespConnection, host: string, entry: string): Promise<boolean> {
    const reply = await redis.call('hgetall', `healthcheck:${host}`);
    const wanted = fieldsOf(reply);
    const asked = `${entry}/${(wanted.get('path') ?? '').replace(/^\/+/, '')}`;
    const url = asked.startsWith('http') ? asked : `http://${asked}`;
    const answer = await get(url);
    const status = Number.parseInt(wanted.get('status') ?? '', 10) || 0;
    const isWell =
      answer !== null && (status === 0 || answer.status === status) && answer.body.includes(wanted.get('body') ?? '');
    this.checks.push({ entry, isWell, url: URL.canParse(url) ? url : null });
    return isWell;
  }
}

function fieldsOf(reply: unknown): ReadonlyMap<string, string> {
  const words = Array.isArray(reply) ? reply.map(String) : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) fields.set(words[i] ?? '', words[i + 1] ?? '');
  return fields;
}

/** GET as Go's client sends it; null when there is no answer. */
function get(url: string): Promise<{ readonly status: number; readonly body: string } | null> {
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') return Promise.resolve(null);
  return new Promise((resolve) => {
    const headers = { 'User-Agent': 'Go-http-client/1.1', 'Accept-Encoding': 'gzip', Connection: 'close' };
    const out = request(url, { agent: false, headers, timeout: CHECK_MS }, (answer) => {
      let body = '';
      answer.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.once('error', () => resolve(null));
    });
    out.once('timeout', () => out.destroy());
    out.once('error', () => resolve(null));
    out.end();
  });
}
