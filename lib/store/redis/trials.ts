import { randomBytes } from 'node:crypto';
import type { DeathRecord } from '../../core/health/trial.ts';
import type { Backend } from '../../core/routing/types.ts';
import { evaluate, type Script } from '../redis-client/script.ts';
import type { RedisLink } from '../redis-client/link.ts';
import type { TrialMarks } from '../store.ts';
import { isTexts } from '../texts.ts';
import { DROP_RECORDS, PASS_TRIAL, READ_RECORDS, TAKE_TRIAL } from './trial-scripts.ts';

/** Without a record there is no trial to ask for, ms. */
const NO_RECORD_MS = 1_000;
/** Hosts whose records are being dropped. */
const MAX_DROPS = 100;

/** Trials in Redis: the hash `trial:<host>`. */
export class RedisTrials implements TrialMarks {
  readonly #write: RedisLink;
  readonly #prefix: string;
  /** Identifies this worker in records. */
  readonly #name = randomBytes(6).toString('hex');
  readonly #drops = new Set<string>();

  /** @param prefix the prefix of all keys */
  constructor(write: RedisLink, prefix: string) {
    this.#write = write;
    this.#prefix = prefix;
  }

  async take(frontend: string, { href }: Backend, ms: number): Promise<number> {
    const reply = await this.#run(TAKE_TRIAL, [this.#keyOf('trial', frontend)], [href, this.#name, String(ms)]);
    return typeof reply === 'number' && reply >= 0 ? reply : NO_RECORD_MS;
  }

  async pass(frontend: string, { id, href }: Backend): Promise<void> {
    const kinds = this.#write.isOneServer ? (['trial', 'dead', 'marks'] as const) : (['trial'] as const);
    const keys = kinds.map((kind) => this.#keyOf(kind, frontend));
    await this.#run(PASS_TRIAL, keys, [href, String(id)]);
  }

  /** Drops records whose marks were removed, in the background. What is not dropped is found again by the next lookup. */
  drop(frontend: string, urls: readonly string[]): void {
    if (this.#drops.has(frontend) || this.#drops.size >= MAX_DROPS) return;
    this.#drops.add(frontend);
    void this.#run(DROP_RECORDS, [this.#keyOf('trial', frontend)], urls)
      .catch(() => {})
      .finally(() => this.#drops.delete(frontend));
  }

  #keyOf(kind: 'trial' | 'dead' | 'marks', frontend: string): string {
    return `${this.#prefix}${kind}:${frontend}`;
  }

  #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return evaluate(this.#write, script, [String(keys.length), ...keys, ...args], this.#write.deadline());
  }
}

/** The records of a host, as the lookup script returns them. @throws as `RedisLink.send` */
export async function readRecords(link: RedisLink, key: string, deadline: number): Promise<readonly string[]> {
  const reply = await evaluate(link, READ_RECORDS, ['1', key], deadline);
  return isTexts(reply) ? reply : [];
}

/** The records of a host, by URL. None for a user without the rights, and where scripts are refused. */
export async function readDeaths(link: RedisLink, key: string): Promise<ReadonlyMap<string, DeathRecord>> {
  return recordsOf(await readRecords(link, key, link.deadline()).catch(() => []));
}

const RECORD = /^\d{1,9} (\d{1,15}) (\d{1,15}) (\d{1,15}) \d{1,15} \S+$/;

/** Parses records. Others than routers write are left out. @param flat URLs and records in turn, then the time of Redis */
export function recordsOf(flat: readonly string[]): ReadonlyMap<string, DeathRecord> {
  const records = new Map<string, DeathRecord>();
  const now = Number(flat.at(-1));
  for (let i = 0; i + 2 < flat.length; i += 2) {
    const [, marked, expires, due] = RECORD.exec(flat[i + 1] ?? '') ?? [];
    if (marked === undefined) continue;
    records.set(flat[i] ?? '', {
      sinceMs: now - Number(marked),
      markLeftMs: Number(expires) - now,
      leftMs: Number(due) - now,
    });
  }
  return records;
}
