import { originOf } from '../core/routing/backend.ts';
import { version } from '../core/version.ts';
import type { Exchange } from './exchange.ts';

/** The fields for a client that sent X-Debug, names and values in turn. The same as Hipache's. */
export function debugHeaders(exchange: Exchange): string[] {
  const { route, attempts, startedAt } = exchange;
  const headers = ['x-debug-version-hipache', version];
  const backend = exchange.trying ?? attempts.at(-1)?.backend;
  if (backend) headers.push('x-debug-backend-url', originOf(backend), 'x-debug-backend-id', String(backend.id));
  if (route) headers.push('x-debug-vhost', printable(route.name), 'x-debug-frontend-key', route.frontend);
  const now = performance.now();
  headers.push('x-debug-time-total', ms(now - startedAt));
  if (exchange.tryingSince !== null) headers.push('x-debug-time-backend', ms(now - exchange.tryingSince));
  if (exchange.refusal) headers.push('x-debug-error', printable(exchange.refusal.message));
  return headers;
}

function ms(duration: number): string {
  return String(Math.round(duration));
}

/** Operators' texts may hold anything; header values may not (RFC 9110 §5.5). */
function printable(text: string): string {
  return text.replace(/[^\t -~]/g, '?');
}
