/** The lines of `hipache route explain` about what workers know of backends. Pure functions. */
import type { ActivityView, BackendActivity, FailureView, FrontendView } from '../diagnostics/explanation.ts';
import { clean, type Console, paint, Table } from './console.ts';
import { counted } from './show-fault.ts';

/** A backend that has failed within so long is not shown as good, ms. */
const RECENT_MS = 60_000;

/** How many backends that are not marked dead have failed within the last minute. @param now epoch ms */
export function recentlyFailed(route: FrontendView, activity: ActivityView | null, now: number): number {
  const chosen = new Set(route.backends.filter(({ state }) => state === 'alive').map(({ id }) => id));
  return (activity?.backends ?? []).filter(({ id, failures: [last] }) => {
    return chosen.has(id) && last !== undefined && now - Date.parse(last.time) < RECENT_MS;
  }).length;
}

/** One row for each backend, and its failures below. @param now epoch ms */
export function activityLines(console: Console, { workers, replied, backends }: ActivityView, now: number): string[] {
  if (backends.length === 0) return [];
  const heading = ['ID', 'REQ/S', 'ERR/S', 'P50', 'P99', 'IN FLIGHT', 'WAITING', 'CONN', 'IDLE'];
  const rows = new Table().lines([heading, ...backends.map(rowOf)]);
  const missing = workers - replied;
  return [
    rows[0] ?? '',
    ...backends.flatMap(({ failures }, i) => [
      rows[i + 1] ?? '',
      ...failures.map((failure) => paint(console, 'dim', `    ${failureText(failure, now)}`)),
    ]),
    ...(missing > 0 ? [paint(console, 'yellow', `without ${counted(missing, 'worker')} that did not reply`)] : []),
  ];
}

function rowOf(each: BackendActivity): readonly string[] {
  return [
    String(each.id),
    rate(each.requestsPerSecond),
    rate(each.errorsPerSecond),
    milliseconds(each.p50),
    milliseconds(each.p99),
    String(each.inFlight),
    String(each.waiting),
    String(each.open),
    String(each.idle),
  ];
}

function failureText({ time, type, code, reason }: FailureView, now: number): string {
  const what = code === null || reason.includes(code) ? type : `${type} ${code}`;
  return `failed ${ago(time, now)} (${clean(time)}), ${clean(what)}: ${clean(reason)}`;
}

function ago(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  return seconds < 120 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ago`;
}

function rate(perSecond: number): string {
  return perSecond === 0 || perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(2);
}

function milliseconds(seconds: number | null): string {
  return seconds === null ? '-' : `${(seconds * 1000).toFixed(1)} ms`;
}
