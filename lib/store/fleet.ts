/** What workers say of themselves each second, and what deploys ask of them. Plain data: it is sent as JSON. */
import type { Backend } from '../core/routing/types.ts';
import { parseBackend } from '../core/routing/backend-url.ts';

/** Between two heartbeats of a worker, ms. */
export const BEAT_MS = 1_000;
/** A worker that has been silent for so long, ms, is shown as silent: three heartbeats are missing. */
export const SILENT_MS = 3_500;
/** A worker that has been silent for so long, ms, is forgotten. */
export const GONE_MS = 10_000;

/** Which worker of which router. A worker that dies has a successor with the same `slot` and `generation`. */
export interface Member {
  /** Identifies the router from the start of its master to its end. */
  readonly router: string;
  /** The process id of the master. */
  readonly master: number;
  /** The number of the worker's generation: counted up by each reload. */
  readonly generation: number;
  /** The worker's position in its generation. */
  readonly slot: number;
}

/** What a worker says each second. */
export interface WorkerBeat extends Member {
  readonly pid: number;
  /** The name of the machine. */
  readonly host: string;
  readonly version: string;
  /** When the worker started, ms since 1970. */
  readonly startedAt: number;
  /** Whether it finishes its last requests and accepts no new connections. */
  readonly isDraining: boolean;
  /** Responses of backends a second, since the heartbeat before. */
  readonly requestsPerSecond: number;
  /** Open connections of clients. */
  readonly connections: number;
  /** Open exchanges, with tunnels. */
  readonly exchanges: number;
  /** Requests that wait for a permit of their site. */
  readonly queued: number;
  /** Permits of sites that it has leased, for requests in flight, and how many of them are in use. */
  readonly permits: number;
  readonly permitsInUse: number;
  /** Rates and bandwidths of sites of which it has only a share, since other workers have one, too. */
  readonly sharedRates: number;
  /** How late the event loop was with this heartbeat, ms. */
  readonly lagMs: number;
  /** How far the worker's clock is ahead of that of Redis, ms; null where it is not known. */
  readonly skewMs: number | null;
  readonly deploys: readonly DeployReport[];
}

/** What a worker says of a frontend under deploy. */
export interface DeployReport {
  readonly key: string;
  /** Of the announcement that it is about. */
  readonly token: string;
  /** Whether a request would get the announced list and weights now. */
  readonly isUsed: boolean;
  /** By the URLs of `Announcement.watched`; those without any activity are missing. */
  readonly backends: readonly BackendUse[];
}

/** What a worker knows of one backend. Counters only grow in the life of a worker. */
export interface BackendUse {
  readonly url: string;
  /** Requests in flight, with waiting ones and WebSockets, of all frontends that name the server. */
  readonly inFlight: number;
  /** Responses and failed attempts. */
  readonly requests: number;
  /** Of these: failed attempts, and responses from 500 on. */
  readonly errors: number;
}

/** What a deploy announces: the list and weights that workers should use, and what they should report. */
export interface Announcement {
  readonly key: string;
  /** Identifies this announcement. */
  readonly token: string;
  /** The URLs of the list, in order, without those that no router can use. */
  readonly list: readonly string[];
  /** Those of them that have the weight 0. */
  readonly drained: readonly string[];
  /** The backends whose use is reported, at most MAX_WATCHED. */
  readonly watched: readonly string[];
  /** Backends whose WebSockets end now. */
  readonly cut: readonly string[];
}

/** How many backends of a frontend a deploy watches. */
export const MAX_WATCHED = 200;

/** A worker's last heartbeat. */
export interface SeenBeat {
  readonly beat: WorkerBeat;
  /** How old it is, ms. */
  readonly agoMs: number;
}

/** All routers of a store, for operators and deploys. */
export interface Fleet {
  /** The last heartbeat of each worker. @throws EditorError */
  beats(): Promise<readonly SeenBeat[]>;
  /**
   * Asks all workers for reports about a frontend. Must be repeated every few seconds; ends by itself otherwise.
   * @throws EditorError `busy` while another deploy of the frontend is under way
   */
  announce(announcement: Announcement): Promise<void>;
  /** Ends the reports. @throws EditorError */
  withdraw(key: string): Promise<void>;
  /** Frees sockets and timers. */
  close(): Promise<void>;
}

/** Where a worker's heartbeats go. */
export interface BeatSource {
  /** @returns what deploys ask, and the skew of this worker's clock, ms. Rejects when the store does not take it. */
  beat(beat: WorkerBeat): Promise<{ readonly announced: readonly Announcement[]; readonly skewMs: number }>;
  /** The worker ends. Rejects as `beat`. */
  leave(member: Member): Promise<void>;
}

/** Identifies a worker, and its successor if it dies. */
export function nameOf({ router, generation, slot }: Member): string {
  return `${router}.${generation}.${slot}`;
}

/** The backends of a list, without the identifier, that routers can use, in order. */
export function usableIn(urls: readonly string[]): readonly Backend[] {
  return urls.flatMap((url, id) => {
    const parsed = parseBackend(url, id);
    return 'fault' in parsed ? [] : [parsed.backend];
  });
}

/** Parses a heartbeat; null for another text. */
export function readBeat(text: string): WorkerBeat | null {
  const beat = parse(text) as Partial<WorkerBeat> | null;
  const isBeat =
    typeof beat === 'object' &&
    beat !== null &&
    [beat.router, beat.host, beat.version].every((each) => typeof each === 'string') &&
    NUMBERS.every((field) => typeof beat[field] === 'number') &&
    Array.isArray(beat.deploys) &&
    beat.deploys.every(isReport);
  return isBeat ? (beat as WorkerBeat) : null;
}

const NUMBERS = [
  'master',
  'generation',
  'slot',
  'pid',
  'startedAt',
  'requestsPerSecond',
  'connections',
  'exchanges',
  'queued',
  'permits',
  'permitsInUse',
  'sharedRates',
  'lagMs',
] as const;

function isReport(report: Partial<DeployReport> | null): boolean {
  return typeof report?.key === 'string' && typeof report.token === 'string' && Array.isArray(report.backends);
}

/** Parses an announcement; null for another text. */
export function readAnnouncement(text: string): Announcement | null {
  const said = parse(text) as Partial<Announcement> | null;
  const isOne =
    typeof said?.key === 'string' &&
    typeof said.token === 'string' &&
    [said.list, said.drained, said.watched, said.cut].every(
      (urls) => Array.isArray(urls) && urls.every((url) => typeof url === 'string'),
    );
  return isOne ? (said as Announcement) : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
