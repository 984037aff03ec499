/** The text format of last-known routes in a file, which a router serves from until Redis replies. Pure functions. */
import { createHash } from 'node:crypto';
import { NO_MARKS, readList, routeOf } from '../../core/routing/backend.ts';
import type { Route } from '../../core/routing/types.ts';
import { makeSite } from '../../sites/site.ts';
import { fieldsOf } from '../fields.ts';
import { isTexts } from '../texts.ts';

/**
 * A route of a host or prefix. `at`: when it was read, ms since 1970. `options`: fields and values in turn, if it has
 * any.
 */
export type SavedRoute = readonly [
  frontend: string,
  key: string,
  list: readonly string[],
  at: number,
  options?: readonly string[],
];

/** The content of a snapshot. */
export interface Snapshot {
  /** The run of Redis that the routes were read from; null when unknown. */
  readonly runId: string | null;
  readonly routes: readonly SavedRoute[];
}

/** The same, with each route as text. */
export interface SnapshotLines {
  readonly runId: string | null;
  readonly lines: readonly string[];
}

/** The first line: the format, and a checksum of the rest. */
interface Header {
  readonly format: typeof FORMAT;
  readonly runId: string | null;
  readonly routes: number;
  readonly sha256: string;
}

const FORMAT = 'hipache-snapshot-1';

/** A route without its dead marks, which expire before the snapshot is read. */
export function saveRoute({ frontend, key, name, size, backends, site }: Route, at: number): SavedRoute {
  // An unusable element leaves its position empty.
  const list = [name, ...Array<string>(size).fill('')];
  for (const { id, href } of backends) list[id + 1] = href;
  if (site.fields.size === 0) return [frontend, key, list, at];
  return [frontend, key, list, at, [...site.fields].flat()];
}

/** The route of a saved route. */
export function restoreRoute([frontend, key, list, , options]: SavedRoute): Route {
  return routeOf(
    frontend,
    key,
    readList(list, () => {}),
    NO_MARKS,
    options && makeSite({ prefix: fieldsOf(options) }),
  );
}

/** The text of a snapshot: a header line, then a line per route. @param lines SavedRoutes as JSON */
export function encodeSnapshot({ runId, lines }: SnapshotLines): string {
  const body = lines.map((line) => `${line}\n`).join('');
  const header: Header = { format: FORMAT, runId, routes: lines.length, sha256: digest(body) };
  return `${JSON.stringify(header)}\n${body}`;
}

/** Parses a snapshot. @throws Error that says what is wrong; then nothing of the text may be used */
export function decodeSnapshot(text: string): Snapshot {
  const end = text.indexOf('\n');
  const header = parse(text.slice(0, Math.max(end, 0)));
  if (!isHeader(header)) throw new Error('is not a snapshot of this version');
  const body = text.slice(end + 1);
  if (digest(body) !== header.sha256) throw new Error('is incomplete or changed: its checksum does not match');
  const routes = body.split('\n').slice(0, -1).map(parse);
  if (routes.length !== header.routes || !routes.every(isSavedRoute)) throw new Error('has an invalid route');
  return { runId: header.runId, routes };
}

/** Parses the line of a route; null when it is invalid. */
export function parseSaved(line: string): SavedRoute | null {
  const saved = parse(line);
  return isSavedRoute(saved) ? saved : null;
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
  const [frontend, key, list, at, options]: unknown[] = value;
  if (options !== undefined && !isTexts(options)) return false;
  if (typeof frontend !== 'string' || typeof key !== 'string' || typeof at !== 'number') return false;
  return isTexts(list) && list.length > 0;
}
