/** Slows responses and tunnels down, as their site says. */
import { LEAST_BANDWIDTH, type BandwidthRule, TRAFFIC_FIELD } from '../core/routing/site.ts';
import { rawValue } from '../core/http/trait.ts';
import type { Bandwidths } from '../rates/bandwidths.ts';
import type { FlowEnds, PacedFlow } from '../rates/paced-flow.ts';
import type { Exchange } from './exchange.ts';

/** The dependencies of `openFlow`. */
export interface SlowFlowParts {
  readonly bandwidths: Bandwidths;
}

const NO_FIELDS: readonly string[] = [];
/** `X-Traffic`: bytes per second, as h2o reads it (its "throttle response" directives). */
const WHOLE_NUMBER = /^[0-9]{1,10}$/;

/** Whether something slows down what the client of an exchange gets. Cheap: asked for each response. */
export function isSlowed({ route }: Exchange): boolean {
  return route !== null && route.site.bandwidth !== null;
}

/**
 * Opens the flow by which a body, or the bytes of a tunnel, pass to the client; null where nothing slows them down. It stops
 * when the exchange ends.
 * @param fields of the backend's response, names and values in turn
 */
export function openFlow(
  exchange: Exchange,
  { bandwidths }: SlowFlowParts,
  ends: FlowEnds,
  fields: readonly string[] = NO_FIELDS,
): PacedFlow | null {
  const { route } = exchange;
  const rule = route?.site.bandwidth ?? null;
  if (route === null || rule === null || exchange.isEnded) return null;
  const perSecond = perResponse(rule, fields);
  if (perSecond === 0 && rule.perSite === 0) return null;
  exchange.flow = bandwidths.open(rule, route.key, perSecond, ends);
  return exchange.flow;
}

/** Bytes per second; 0 for any. */
function perResponse(rule: BandwidthRule, fields: readonly string[]): number {
  const said = rule.byField ? rawValue(fields, TRAFFIC_FIELD, ', ') : null;
  if (said === null || !WHOLE_NUMBER.test(said)) return rule.perResponse;
  return Math.max(LEAST_BANDWIDTH, Number(said));
}
