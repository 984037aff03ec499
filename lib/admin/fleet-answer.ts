import { SILENT_MS, type SeenBeat } from '../store/fleet.ts';
import type { FleetAnswer, FleetRouter } from './answers.ts';

/** The workers of a fleet by router, sorted by machine. */
export function fleetAnswer(beats: readonly SeenBeat[]): FleetAnswer {
  const routers = new Map<string, SeenBeat[]>();
  for (const seen of beats) {
    const { router } = seen.beat;
    const known = routers.get(router);
    if (known === undefined) routers.set(router, [seen]);
    else known.push(seen);
  }
  const shown = Array.from(routers, ([id, seen]) => routerOf(id, seen));
  return { routers: shown.toSorted((a, b) => (`${a.host} ${a.id}` < `${b.host} ${b.id}` ? -1 : 1)) };
}

function routerOf(id: string, seen: readonly SeenBeat[]): FleetRouter {
  const beats = seen.map(({ beat }) => beat);
  const [first] = beats;
  const sum = (of: (beat: SeenBeat['beat']) => number): number => beats.reduce((all, beat) => all + of(beat), 0);
  const skews = beats.map(({ skewMs }) => skewMs).filter((skewMs) => skewMs !== null);
  const skew = skews.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0] ?? null;
  const startedAt = Math.min(...beats.map((beat) => beat.startedAt));
  return {
    id,
    host: first?.host ?? '',
    version: first?.version ?? '',
    pid: first?.master ?? 0,
    since: new Date(startedAt).toISOString(),
    workers: beats.length,
    draining: beats.filter(({ isDraining }) => isDraining).length,
    silent: seen.filter(({ agoMs }) => agoMs > SILENT_MS).length,
    heartbeatAgo: Math.max(...seen.map(({ agoMs }) => agoMs)) / 1000,
    requestsPerSecond: Math.round(sum(({ requestsPerSecond }) => requestsPerSecond) * 10) / 10,
    connections: sum(({ connections }) => connections),
    exchanges: sum(({ exchanges }) => exchanges),
    queued: sum(({ queued }) => queued),
    permits: sum(({ permits }) => permits),
    permitsInUse: sum(({ permitsInUse }) => permitsInUse),
    sharedRates: Math.max(...beats.map(({ sharedRates }) => sharedRates)),
    loopLag: Math.max(...beats.map(({ lagMs }) => lagMs)) / 1000,
    clockSkew: skew === null ? null : skew / 1000,
  };
}
