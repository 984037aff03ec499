import { spokenVersion } from '../core/http/forwarded.ts';
import { receivedTrace } from '../core/http/request-headers.ts';
import type { TracedExchange } from '../core/record/spans.ts';
import { joinTrace, type TracePolicy } from '../core/trace-context.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { wasPing } from '../proxy/ping.ts';

/** The spans' record of a full-lane exchange that has ended; null when it is not sampled. */
export function tracedExchange(exchange: Exchange, policy: TracePolicy): TracedExchange | null {
  const { request, head, peer, outgoing, route } = exchange;
  if (wasPing(exchange)) return null;
  // An exchange that was refused before the request head for the backend was made has no trace yet.
  const trace = exchange.trace ?? joinTrace(receivedTrace(request.rawHeaders), peer.isTrusted, policy);
  if (!trace.isSampled) return null;
  return {
    trace,
    method: exchange.method,
    target: head?.path ?? exchange.target,
    version: spokenVersion(peer, head?.version ?? request.httpVersion),
    isTls: peer.isTls,
    authority: head?.authority ?? null,
    clientIp: outgoing?.clientIp ?? peer.address,
    peerAddress: peer.address,
    status: exchange.status,
    route,
    startedAt: exchange.startedAt,
    endedAt: performance.now(),
    attempts: exchange.attempts,
    refusal: exchange.refusal?.code ?? null,
    ending: endingOf(exchange),
  };
}

function endingOf({ interruption, response, status }: Exchange): TracedExchange['ending'] {
  // A tunnel counts as complete, however it ends.
  if (status === 101) return 'whole';
  if (interruption === 'client-left') return 'left';
  return response.writableFinished ? 'whole' : 'cut';
}
