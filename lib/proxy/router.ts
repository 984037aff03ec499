/** The steps of a request, in order. Each step is one call into its own file. */
import { asRouterError, RouterError } from '../core/errors.ts';
import { hasBody } from '../core/http/framing.ts';
import { GATHER_MS } from '../core/limits/client-limits.ts';
import type { LimitsBySite } from '../core/limits/limits-by-site.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import { readHead } from '../core/http/request-head.ts';
import { type RequestHeaderPolicy, requestHeaders } from '../core/http/request-headers.ts';
import { type Identity, identityIn, NO_IDENTITY, rawValue } from '../core/http/trait.ts';
import { mayRetry } from '../core/health/retry.ts';
import type { Balancing } from '../core/routing/choice.ts';
import { choose } from '../core/routing/selection.ts';
import type { Attempted, Backend, Death, Outcome, RequestTraits, Route } from '../core/routing/types.ts';
import {
  describeOutcome,
  isDeadly,
  isFailedResponse,
  isFailure,
  type Judged,
  hasResponded,
  mayBeOwnFault,
} from '../core/health/verdict.ts';
import type { TimeLimits } from '../clock/time-limits.ts';
import type { BackendStates } from '../backends/state/backend-states.ts';
import type { HealthMarks } from '../store/store.ts';
import { type AdmissionParts, admit } from './admission.ts';
import { cookieFor } from './sticky-cookie.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Exchange } from './exchange.ts';
import { isPing } from './ping.ts';
import { bufferRequest, isBuffered, type RequestBufferParts } from './request-buffer.ts';
import { limitBody, limitSize } from './request-size.ts';
import { limitRate, shed } from './rate-limit.ts';
import type { RecoveryWatch } from '../backends/recovery-watch.ts';
import type { Outliers } from '../backends/outliers.ts';
import type { Trials } from '../backends/trials.ts';
import type { Overload } from '../overload/overload.ts';
import type { RateLimits } from '../rates/rate-limits.ts';
import { chooseWithRoom } from './backend-choice.ts';
import { type PermitParts, takePermit } from './permit-wait.ts';

/** The dependencies of `judge`. */
export interface JudgeParts {
  readonly store: Pick<HealthMarks, 'hasHealthChecker'>;
  /** `why`: for the log. */
  readonly markDead: (death: Death, why: string) => void;
  /** Records failures. */
  readonly backends: Pick<BackendStates, 'failed' | 'agrees'>;
  readonly recoveryWatch: RecoveryWatch;
  readonly trials: Pick<Trials, 'passed' | 'failed' | 'left'>;
  readonly outliers: Pick<Outliers, 'ended'>;
  /** The opposite of `markDead`: a backend responds again, `deadMs` after its death. */
  readonly markAlive: (death: Death, deadMs: number) => void;
  readonly policy: { readonly deadOn500: boolean };
}

export interface RouterParts extends JudgeParts, Balancing, RequestBufferParts, PermitParts {
  readonly trials: Trials;
  readonly outliers: Outliers;
  readonly rates: RateLimits;
  /** Null: this worker refuses nothing however late it is. */
  readonly overload: Overload | null;
  readonly clock: TimeLimits;
  readonly limitsBySite: LimitsBySite;
  readonly admission: AdmissionParts;
  readonly headerPolicy: RequestHeaderPolicy;
  readonly budget: RetryBudget;
  readonly forward: (exchange: Exchange, backend: Backend) => Promise<Outcome>;
  readonly pong: (exchange: Exchange) => void;
  readonly refuse: (exchange: Exchange, error: RouterError) => Promise<void>;
  /** Called once for each exchange, when it has ended. */
  readonly record: (exchange: Exchange) => void;
  readonly policy: { readonly retries: number; readonly deadOn500: boolean; readonly maxBodyBytes: number };
}

/** Serves one request. Never rejects: every error gets a response and is recorded. Resolves when the exchange is over. */
export async function route(exchange: Exchange, parts: RouterParts): Promise<void> {
  parts.budget.requestStarted();
  try {
    await respond(exchange, parts);
  } catch (error) {
    await parts.refuse(exchange, asRouterError(error));
  }
  await exchange.ended;
  parts.budget.requestEnded();
  if (exchange.route !== null) parts.overload?.sent(exchange.route.key, exchange.bytesSent);
  parts.record(exchange);
  await exchange.over;
}

async function respond(exchange: Exchange, parts: RouterParts): Promise<void> {
  const { request, method, target } = exchange;
  const { httpVersion, rawHeaders } = request;
  const head = readHead({ method, target, version: httpVersion, rawHeaders });
  exchange.head = head;
  if (isPing(head)) return parts.pong(exchange);
  if (exchange.rejection !== null) throw exchange.rejection;
  limitBody(exchange, head, parts.policy.maxBodyBytes);
  exchange.outgoing = requestHeaders(head, rawHeaders, exchange.peer, parts.headerPolicy, exchange.trace);
  exchange.trace = exchange.outgoing.trace;
  const found = await admit(exchange, head, parts.admission);
  if (found === null || exchange.interruption !== null) return stopped(exchange);
  const { limits } = found.site;
  if (limits !== null) {
    exchange.limits = parts.limitsBySite.of(limits);
    limitSize(exchange, head, exchange.limits);
  }
  shed(exchange, found, parts.overload);
  limitRate(exchange, found, parts.rates);
  const traits = {
    method,
    path: head.path,
    clientIp: exchange.outgoing.clientIp,
    hasBody: hasBody(head.framing),
    ...identityOf(found, rawHeaders),
  };
  const { buffer, concurrency } = found.site;
  const isTaken = traits.hasBody && isBuffered(buffer, exchange, head);
  if (isTaken) await bufferRequest(exchange, head, buffer, found, parts);
  if (concurrency !== null) {
    if (exchange.interruption !== null) return stopped(exchange);
    await takePermit(exchange, found, parts);
    if (exchange.interruption !== null || exchange.isEnded) return stopped(exchange);
  }
  // A client that waits for a 100 sends no body before a backend has sent one.
  if (traits.hasBody && !isTaken && !head.expectsContinue && !exchange.isBodyLost)
    await exchange.body.gather(parts.clock, GATHER_MS);
  limitBody(exchange, head, exchange.limits?.bodyBytes ?? parts.policy.maxBodyBytes);
  if (found.site.balance?.sticky && !parts.sticky.isReady()) await parts.sticky.ready();
  await tryBackends(exchange, found, traits, parts);
}

function identityOf({ site: { balance } }: Route, rawHeaders: readonly string[]): Identity {
  if (balance === null) return NO_IDENTITY;
  return identityIn(balance, (name, separator) => rawValue(rawHeaders, name, separator));
}

async function tryBackends(exchange: Exchange, found: Route, traits: RequestTraits, parts: RouterParts): Promise<void> {
  const tried = new Set<number>();
  const site = siteOf(found.key);
  let hasBlamed = false;
  // Attempts of the fast lane count like attempts of this lane.
  const earlier = [...exchange.attempts];
  let failure: Failure | null = null;
  for (let retries = 0; ; retries++) {
    if (exchange.interruption !== null) return stopped(exchange);
    let made = earlier[retries];
    if (made === undefined) {
      const { permit } = exchange;
      const backend =
        permit === null
          ? choose(found, tried, parts, traits)
          : await chooseWithRoom(exchange, permit, found, tried, traits, parts);
      if (exchange.interruption !== null) return stopped(exchange);
      if (backend === null) throw givenUp(failure);
      if (retries > 0 && !parts.budget.take(site)) throw givenUp(failure);
      exchange.cookie = cookieFor(exchange, found, backend, traits, parts);
      if (found.onTrial.has(backend.id)) parts.trials.begun(found.frontend, backend);
      made = await attempt(exchange, backend, parts);
      if (retries > 0) parts.budget.giveBack(site);
    }
    const { backend, outcome } = made;
    const judged = { found, backend, outcome, begunAt: exchange.tryingSince ?? 0, hasBlamed, client: traits.clientIp };
    const isDeath = judge(judged, parts);
    hasBlamed ||= isDeath && mayBeOwnFault(outcome);
    if (outcome.type === 'answered' || outcome.type === 'upgraded') return;
    if (outcome.type === 'abandoned') return stopped(exchange);
    failure = outcome;
    if (!mayRetry(outcome, traits, retries, parts.policy.retries)) throw givenUp(failure);
    tried.add(backend.id);
  }
}

async function attempt(exchange: Exchange, backend: Backend, parts: RouterParts): Promise<Attempted> {
  exchange.trying = backend;
  const startedAt = performance.now();
  exchange.tryingSince = startedAt;
  const outcome = await parts.forward(exchange, backend);
  const made = { backend, outcome, startedAt, tookMs: performance.now() - startedAt };
  exchange.attempts.push(made);
  return made;
}

/**
 * Records a failure, and marks a backend dead or alive if the outcome shows that. @returns whether it shows that the
 * backend is dead
 */
export function judge({ found, backend, outcome, begunAt, hasBlamed, client }: Judged, parts: JudgeParts): boolean {
  const { recoveryWatch, backends, trials } = parts;
  const on500 = parts.policy.deadOn500 && parts.store.hasHealthChecker;
  const death = { route: found, backend };
  const { deadOn5xx, eject } = found.site;
  const isDisputed = deadOn5xx === 'agreed' && isFailedResponse(outcome, on500);
  const isAgreed = isDisputed && backends.agrees(backend, client);
  const isDeath = isDeadly(outcome, { on500, hasBlamed, deadOn5xx, isAgreed });
  if (isDeath || isDisputed || isFailure(outcome)) backends.failed(backend, outcome);
  if (eject !== null) parts.outliers.ended(death, outcome, eject);
  if (isDeath) {
    // A sole backend is never marked dead: a bad response is better than none. A dead one that was tried as a last
    // resort is already marked.
    if (found.backends.length > 1 && (!found.deadByRouters.has(backend.id) || found.onTrial.has(backend.id)))
      parts.markDead(death, describeOutcome(outcome));
    if (found.onTrial.has(backend.id)) trials.failed(found.frontend, backend);
    return true;
  }
  if (found.onTrial.has(backend.id)) {
    if (!isDisputed && hasResponded(outcome)) trials.passed(found.frontend, backend);
    else trials.left(found.frontend, backend);
  }
  if (isDisputed) return false;
  if (recoveryWatch.waiting > 0 && hasResponded(outcome)) {
    const deadMs = recoveryWatch.returned(found.frontend, backend, begunAt, performance.now());
    if (deadMs !== null) parts.markAlive(death, deadMs);
  }
  return false;
}

/** The client's side broke off. @throws the reason, if the client can still get a response */
function stopped(exchange: Exchange): void {
  if (exchange.interruption instanceof RouterError) throw exchange.interruption;
}

type Failure = Exclude<Outcome, { type: 'answered' | 'upgraded' | 'abandoned' }>;

/** The error for the client when no further backend may be tried. */
function givenUp(failure: Failure | null): RouterError {
  const cause = failure?.cause;
  switch (failure?.type) {
    case 'silent':
      return new RouterError('backend-silent', 'the backend did not respond in time', { cause });
    case 'crowded':
      return new RouterError('backend-crowded', 'all connections to the backends are busy', { cause });
    case 'garbled':
      return new RouterError('backend-failed', 'the response of the backend is not valid HTTP', { cause });
    case 'unfit':
      if (cause instanceof RouterError) return cause;
      return new RouterError('no-backend', cause?.message ?? 'no backend can do what is asked', { cause });
    case 'broken':
    case 'dropped':
    case 'unreachable':
    case undefined:
      return new RouterError('backend-failed', 'Reached max retries limit', { cause });
  }
}
