import { CHECK_BOUNDS } from '../../sites/healthcheck.ts';
import { type CheckOutcome, type CheckReport, type CheckSource, type CheckTurn, type DueList } from '../checks.ts';
import { fieldsOf } from '../fields.ts';
import { isReplyError, type RedisLink, unavailable } from '../redis-client/link.ts';
import { isScriptRefused } from '../redis-client/refusals.ts';
import { evaluate } from '../redis-client/script.ts';
import { isTexts } from '../texts.ts';
import { ADD, TURN } from './check-script.ts';
import { PlainChecks } from './plain-checks.ts';
import { walkForChecks } from './check-walk.ts';

/** The sorted set of the lists that are checked. */
export const CHECKS = 'checks';

/** No connection. */
const NEVER = -1;

const NOTHING: CheckTurn = { outcomes: [], due: [], lists: 0, isPaused: false, off: null };
const OUTCOMES: ReadonlySet<unknown> = new Set<CheckOutcome>([
  'marked',
  'kept',
  'last',
  'cleared',
  'noted',
  'moved',
  'gone',
  'failed',
]);

/** Active checks, shared by the routers of one Redis. */
export class RedisChecks implements CheckSource {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #over = new AbortController();
  #isWalking = false;
  /** What is used in a cluster, and where scripts are refused. */
  readonly #plain: PlainChecks;
  /** The connection on which scripts were refused. */
  #scriptless = NEVER;

  /** @param link to the server that takes writes @param prefix of all keys */
  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
    this.#plain = new PlainChecks(link, prefix);
  }

  async turn(reports: readonly CheckReport[], max: number): Promise<CheckTurn> {
    const { epoch, isOneServer } = this.#link;
    if (!isOneServer) return await this.#plain.turn(reports, max);
    if (this.#scriptless === epoch) return await this.#plainTurn(reports, max);
    const args = [`${this.#prefix}${CHECKS}`, this.#prefix, String(max), JSON.stringify(reports.map(forScript))];
    try {
      const reply = await evaluate(this.#link, TURN, ['1', ...args], this.#link.deadline());
      const { walks, turn } = turnOf(reply, reports.length);
      if (walks) void this.#walk();
      return turn;
    } catch (error) {
      if (!isReplyError(error)) throw error;
      // A key `checks` of another type is refused for good.
      if (error.message.includes('WRONGTYPE')) return { ...NOTHING, off: error.message };
      if (!isScriptRefused(error)) throw unavailable(error.message, error);
      this.#scriptless = epoch;
      return await this.#plainTurn(reports, max);
    }
  }

  /** Where these are refused, too, the script is tried again the next time: rights may be given meanwhile. */
  async #plainTurn(reports: readonly CheckReport[], max: number): Promise<CheckTurn> {
    const turn = await this.#plain.turn(reports, max);
    if (turn.off !== null) this.#scriptless = NEVER;
    return turn;
  }

  close(): void {
    this.#over.abort();
    this.#plain.close();
  }

  /** Adds all lists with a hash `healthcheck:`. Never rejects: another walk follows. */
  async #walk(): Promise<void> {
    if (this.#isWalking) return;
    this.#isWalking = true;
    try {
      const nextMs = await walkForChecks(this.#link, this.#prefix, this.#over.signal, (keys) => this.#add('', keys));
      await this.#add(String(nextMs), []);
    } catch {
      // Redis does not reply, or the router ends. The walk is due again after its time limit.
    }
    this.#isWalking = false;
  }

  async #add(nextWalkMs: string, keys: readonly string[]): Promise<void> {
    const args = ['1', `${this.#prefix}${CHECKS}`, nextWalkMs, ...keys];
    await evaluate(this.#link, ADD, args, this.#link.deadline());
  }
}

function forScript({
  key,
  url,
  entry,
  result,
  isGood: good,
  action,
  life,
  keepMs: keep,
  unusable,
}: CheckReport): object {
  return { key, url, entry, result, good, action, ttl: life.ttlMs, renew: life.renewMs, keep, unusable };
}

function turnOf(reply: unknown, reports: number): { readonly walks: boolean; readonly turn: CheckTurn } {
  const said = objectOf(typeof reply === 'string' ? parsed(reply) : null);
  if (said === null) throw unavailable('it sent an invalid reply about checks');
  const { paused, outcomes, due, walks, lists, fault } = said;
  if (paused === true) return { walks: false, turn: { ...NOTHING, isPaused: true } };
  const filed = arrayOf(outcomes).map((outcome) => (OUTCOMES.has(outcome) ? (outcome as CheckOutcome) : 'failed'));
  if (filed.length !== reports) throw unavailable('it sent an invalid reply about checks');
  const taken = arrayOf(due)
    .map(dueOf)
    .filter((list) => list !== null);
  // Without the right to one kind of keys, no list can be checked.
  const off = typeof fault === 'string' && /NOPERM|permission/i.test(fault) ? fault : null;
  const turn = { outcomes: filed, due: taken, lists: typeof lists === 'number' ? lists : 0, isPaused: false, off };
  return { walks: walks === true, turn };
}

function dueOf(reply: unknown): DueList | null {
  const { key, fields, list, dead, marks, down, results } = objectOf(reply) ?? {};
  if (typeof key !== 'string' || key === '') return null;
  const checked = fieldsOf(textsOf(fields));
  if (checked.size > CHECK_BOUNDS.fields) return null;
  return {
    key,
    fields: checked,
    list: textsOf(list),
    dead: textsOf(dead),
    marks: textsOf(marks),
    down: textsOf(down),
    results: fieldsOf(textsOf(results)),
  };
}

/** Lua has one empty table for both lists and maps. */
function arrayOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? (reply as unknown[]) : [];
}

function textsOf(reply: unknown): readonly string[] {
  return isTexts(reply) ? reply : [];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
