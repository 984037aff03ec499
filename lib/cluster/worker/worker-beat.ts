import { hostname } from 'node:os';
import type { BackendStates } from '../../backends/state/backend-states.ts';
import { readWeight } from '../../core/balance/weights.ts';
import { isDialled, serverOf } from '../../core/routing/backend.ts';
import { candidates } from '../../core/routing/hostname.ts';
import { inTheClear } from '../../core/routing/legacy-scheme.ts';
import { splitKey } from '../../core/routing/prefixes.ts';
import type { Route } from '../../core/routing/types.ts';
import { version } from '../../core/version.ts';
import type { Traffic } from '../../server/traffic.ts';
import {
  type Announcement,
  type BackendUse,
  type DeployReport,
  MAX_WATCHED,
  type Member,
  usableIn,
  type WorkerBeat,
} from '../../store/fleet.ts';
import type { RouteLookups } from '../../store/store.ts';

/** What WorkerBeats needs of its worker. */
export interface WorkerBeatParts {
  readonly member: Member;
  readonly store: Pick<RouteLookups, 'find'>;
  readonly backends: Pick<BackendStates, 'snapshot'> & Iterable<{ readonly responseCount: number }>;
  readonly traffic: Pick<Traffic, 'size' | 'cutTunnels'>;
  readonly shares: () => Pick<WorkerBeat, 'queued' | 'permits' | 'permitsInUse' | 'sharedRates'>;
  /** Open connections of clients. */
  readonly connections: () => number;
  readonly isDraining: () => boolean;
  /** `server.legacyScheme`. */
  readonly legacyScheme: boolean;
}

/** Makes the heartbeats of a worker. */
export class WorkerBeats {
  readonly #parts: WorkerBeatParts;
  readonly #startedAt = Date.now();
  #responses = 0;
  #countedAt = performance.now();

  constructor(parts: WorkerBeatParts) {
    this.#parts = parts;
  }

  /**
   * The next heartbeat. Never rejects.
   * @param announced what deploys ask @param lagMs how late this call is @param skewMs see WorkerBeat
   */
  async next(announced: readonly Announcement[], lagMs: number, skewMs: number | null): Promise<WorkerBeat> {
    const { member, traffic, shares, connections, isDraining } = this.#parts;
    const deploys = await Promise.all(announced.map((each) => this.#report(each)));
    return {
      ...member,
      pid: process.pid,
      host: hostname(),
      version,
      startedAt: this.#startedAt,
      isDraining: isDraining(),
      requestsPerSecond: this.#rate(),
      connections: connections(),
      exchanges: traffic.size,
      ...shares(),
      lagMs: Math.max(0, Math.round(lagMs)),
      skewMs,
      deploys,
    };
  }

  /** Responses a second since the last call. */
  #rate(): number {
    let responses = 0;
    for (const { responseCount } of this.#parts.backends) responses += responseCount;
    const now = performance.now();
    // Records of backends that are not used any more are dropped, with their counts.
    const fresh = Math.max(0, responses - this.#responses);
    const rate = fresh / Math.max(0.001, (now - this.#countedAt) / 1000);
    this.#responses = responses;
    this.#countedAt = now;
    return Math.round(rate * 10) / 10;
  }

  async #report(announced: Announcement): Promise<DeployReport> {
    const { key, token, watched, cut } = announced;
    const isUsed = isAsAnnounced(await this.#find(key), announced);
    if (cut.length > 0) this.#parts.traffic.cutTunnels(key, new Set(cut));
    return { key, token, isUsed, backends: this.#usesOf(watched) };
  }

  /** The route that a request for this key would get now; null without one, and when the store does not reply. */
  async #find(key: string): Promise<Route | null> {
    const { host, prefix } = splitKey(key);
    // Under a wildcard a host that has no list of its own.
    const asked = host.startsWith('*') ? `hipache-deploy${host === '*' ? '.invalid' : host.slice(1)}` : host;
    try {
      return await this.#parts.store.find(candidates(asked), prefix === '' ? '/' : prefix);
    } catch {
      // Without a reply the worker serves the route that it has known, which is not the new one.
      return null;
    }
  }

  #usesOf(watched: readonly string[]): readonly BackendUse[] {
    const { backends, legacyScheme } = this.#parts;
    const servers = new Map<string, string>();
    for (const backend of usableIn(watched.slice(0, MAX_WATCHED))) {
      if (!isDialled(backend)) continue;
      const isClear = legacyScheme && backend.protocol === 'https:';
      servers.set(backend.href, serverOf(isClear ? inTheClear(backend) : backend));
    }
    const known = new Map(backends.snapshot([...new Set(servers.values())]).map((each) => [each.server, each]));
    return [...servers].flatMap(([url, server]) => {
      const state = known.get(server);
      if (state === undefined) return [];
      const { inFlight, waiting, responses, failed } = state;
      const all = Object.values(responses).reduce((sum, count) => sum + count, 0);
      return [{ url, inFlight: inFlight + waiting, requests: all + failed, errors: responses['5xx'] + failed }];
    });
  }
}

/** Whether a route is what a deploy has announced. */
function isAsAnnounced(route: Route | null, { key, list, drained }: Announcement): boolean {
  if (route === null || route.key !== key || route.backends.length !== list.length) return false;
  if (route.backends.some(({ href }, i) => href !== list[i])) return false;
  return drained.every((url) => hasNoShare(route.site.fields.get(url)));
}

function hasNoShare(weight: string | undefined): boolean {
  const read = weight === undefined ? null : readWeight(weight);
  return typeof read === 'object' && read?.share === 0;
}
