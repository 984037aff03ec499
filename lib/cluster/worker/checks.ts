import { hostname } from 'node:os';
import { Probe } from '../../backends/checks/probe.ts';
import type { Dialer } from '../../backends/dialing/dialer.ts';
import { Checker } from '../../checks/checker.ts';
import { TimeLimits } from '../../clock/time-limits.ts';
import { logCheckEvent } from '../../observe/check-events.ts';
import type { ExchangeRecorder } from '../../observe/exchange-recorder.ts';
import type { Log } from '../../observe/log.ts';
import type { CheckSource } from '../../store/checks.ts';

/**
 * Begins the active checks of a worker: one worker of each router makes them.
 * @param source null where another worker does
 * @returns ends them
 */
export function startChecks(
  source: CheckSource | null,
  dialer: Dialer,
  { metrics }: Pick<ExchangeRecorder, 'metrics'>,
  log: Log,
): () => void {
  if (source === null) return () => {};
  const clock = new TimeLimits();
  const checker = new Checker({
    source,
    clock,
    probe: (target, onShown) => new Probe(target, { dialer, clock }, onShown),
    router: hostname(),
    notify: (event) => logCheckEvent(log, event),
    onChecked: (hasPassed) => metrics?.checked(hasPassed),
    now: Date.now,
  });
  return () => checker.close();
}
