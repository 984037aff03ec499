/** Last-known routes as text, for a file: what a router that was just started serves by until Redis answers. Pure. */
import { createHash } from 'node:crypto';
import { readList, routeOf } from '../core/backend.ts';
import type { Route } from '../core/types.ts';
import { NOBODY } from './dead-marks.ts';

/** One host's route. `at`: when it was read, milliseconds since the epoch. */
export type SavedRoute = readonly [frontend: string, key: string, list: readonly string[], at: number];

/** What stands in a snapshot. */
export interface Snapshot {
  /** Which run of Redis the routes were read from; null when that is not known. */
  readonly runId: string | null;
  readonly routes: readonly SavedRoute[];
}

/** The first line: what the file is, and how to tell that the rest is whole. */
interface Header {
  readonly format: typeof FORMAT;
  readonly runId: string | null;
  readonly routes: number;
  readonly sha256: string;
}

const FORMAT = 'hipache-snapshot-1';

/** A route without its dead marks: those are over before anybody reads them here. */
export function saveRoute({ frontend, key, name, size, backends }: Route, at: number): SavedRoute {
  // An element that could not be used leaves its place empty.
  const list = [name, ...Array<string>(size).fill('')];
  for (const { id, href } of backends) list[id + 1] = href;
  return [frontend, key, list, at];
}

/** The route that was saved. */
export function restoreRoute([frontend, key, list]: SavedRoute): Route {
  return routeOf(
    frontend,
    key,
    readList(list, () => {}),
    NOBODY,
  );
}

/** The snapshot as text: a line that says what it is, then a line for each route. */
export function encodeSnapshot({ runId, routes }: Snapshot): string {
  const body = routes.map((route) => `${JSON.stringify(route)}\n`).join('');
  const header: Header = { format: FORMAT, runId, routes: routes.length, sha256: digest(body) };
  return `${JSON.stringify(header)}\n${body}`;
}

/** @throws Error that says what is wrong with the text; nothing of it is to be used then */
export function decodeSnapshot(text: string): Snapshot {
  const end = text.indexOf('\n');
  const header = parse(text.slice(0, Math.max(end, 0)));
  if (!isHeader(header)) throw new Error('is no snapshot of this version');
  const body = text.slice(end + 1);
  if (digest(body) !== header.sha256) throw new Error('is not whole: its checksum is another');
  const routes = body.split('\n').slice(0, -1).map(parse);
  if (routes.length !== header.routes || !routes.every(isSavedRoute)) throw new Error('holds what is no route');
  return { runId: header.runId, routes };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  const { format, runId, routes, sha256 } = value as Partial<Record<keyof Header, unknown>>;
  if (format !== FORMAT || typeof routes !== 'number' || typeof sha256 !== 'string') return false;
  return runId === null || typeof runId === 'string';
}

function isSavedRoute(value: unknown): value is SavedRoute {
  if (!Array.isArray(value)) return false;
  const [frontend, key, list, at]: unknown[] = value;
  if (typeof frontend !== 'string' || typeof key !== 'string' || typeof at !== 'number') return false;
  return Array.isArray(list) && list.length > 0 && list.every((element) => typeof element === 'string');
}
