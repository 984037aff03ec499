/** Last-known routes as text, for a file: what a router that was just started serves by until Redis answers. Pure. */
import { createHash } from 'node:crypto';
import { NO_MARKS, readList, routeOf } from '../../core/routing/backend.ts';
import type { Route } from '../../core/routing/types.ts';
import { makeSite } from '../../sites/site.ts';
import { fieldsOf } from '../fields.ts';
import { isTexts } from '../texts.ts';

/** One host's route, or one of a prefix. `at`: when it was read, milliseconds since the epoch. `options`: where it has any, fields and values in turn. */
export type SavedRoute = readonly [
  frontend: string,
  key: string,
  list: readonly string[],
  at: number,
  options?: readonly string[],
];

/** What stands in a snapshot. */
export interface Snapshot {
  /** Which run of Redis the routes were read from; null when that is not known. */
  readonly runId: string | null;
  readonly routes: readonly SavedRoute[];
}

/** The same, with each route as text. */
export interface SnapshotLines {
  readonly runId: string | null;
  readonly lines: readonly string[];
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
export function saveRoute({ frontend, key, name, size, backends, site }: Route, at: number): SavedRoute {
  // An element that could not be used leaves its place empty.
  const list = [name, ...Array<string>(size).fill('')];
  for (const { id, href } of backends) list[id + 1] = href;
  if (site.fields.size === 0) return [frontend, key, list, at];
  return [frontend, key, list, at, [...site.fields].flat()];
}

/** The route that was saved. */
export function restoreRoute([frontend, key, list, , options]: SavedRoute): Route {
  return routeOf(
    frontend,
    key,
    readList(list, () => {}),
    NO_MARKS,
    options && makeSite({ prefix: fieldsOf(options) }),
  );
}

/**
 * The snapshot as text: a line that says what it is, then a line for each route.
 * @param lines SavedRoutes as JSON
 */
export function encodeSnapshot({ runId, lines }: SnapshotLines): string {
  const body = lines.map((line) => `${line}\n`).join('');
  const header: Header = { format: FORMAT, runId, routes: lines.length, sha256: digest(body) };
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

/** A route that was saved, from its line; null when that is none. */
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
