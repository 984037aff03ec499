/** `hipache route explain --probe`: a request to each backend, from this machine. */
import { Dialer } from '../backends/dialing/dialer.ts';
import { Names } from '../backends/dialing/names.ts';
import { probe, type ProbeRequest, type ProbeResult } from '../backends/probe.ts';
import { isDialled, pathAt } from '../core/routing/backend.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import { inTheClear } from '../core/routing/legacy-scheme.ts';
import type { Backend } from '../core/routing/types.ts';
import type { UrlRules } from '../core/routing/url-rules.ts';
import type { BackendTls } from '../core/routing/backend-tls.ts';
import type { BackendView } from '../diagnostics/explanation.ts';
import { clean, type Console, paint, Table } from './console.ts';

/** For each probe, ms. */
const LIMIT_MS = 3_000;
/** Of so many backends at most, and so many at a time. */
const MAX_PROBES = 100;
const AT_A_TIME = 8;

/** A probe, and the backend's id. */
export interface Probed extends ProbeResult {
  readonly id: number;
  readonly url: string;
}

/** Probes the backends that are servers, marked dead or not; the first 100 of them. */
export async function probeAll(
  backends: readonly BackendView[],
  sent: ProbeRequest,
  { legacyScheme, backendPath }: UrlRules,
  tls: BackendTls,
): Promise<readonly Probed[]> {
  const dialer = new Dialer(tls, new Names());
  const left = serversIn(backends, legacyScheme).slice(0, MAX_PROBES);
  const probed: Probed[] = [];
  const work = async (): Promise<void> => {
    for (let backend = left.shift(); backend !== undefined; backend = left.shift()) {
      const { id, href: url } = backend;
      const path = backendPath ? pathAt(backend, sent.path) : sent.path;
      probed.push({ id, url, ...(await probe(backend, { ...sent, path }, dialer, LIMIT_MS)) });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return probed.toSorted((a, b) => a.id - b.id);
}

function serversIn(backends: readonly BackendView[], legacyScheme: boolean): Backend[] {
  return backends.flatMap(({ id, url }) => {
    const parsed = parseBackend(url, id);
    if ('fault' in parsed || !isDialled(parsed.backend)) return [];
    const { backend } = parsed;
    return [legacyScheme && backend.protocol === 'https:' ? inTheClear(backend) : backend];
  });
}

export function probeLines(console: Console, probed: readonly Probed[]): readonly string[] {
  const rows = new Table().lines(probed.map((each) => [String(each.id), each.url, outcomeOf(each)]));
  return rows.map((row, i) => {
    const { status } = probed[i] ?? { status: null };
    return status !== null && status < 500 ? row : paint(console, 'red', row);
  });
}

function outcomeOf({ connectedMs, respondedMs, status, fault }: Probed): string {
  const connected = connectedMs === null ? '' : `connected after ${connectedMs.toFixed(1)} ms, `;
  if (status === null) return `${connected}${clean(fault ?? '')}`;
  return `${connected}responded with status ${status} after ${(respondedMs ?? 0).toFixed(1)} ms`;
}
