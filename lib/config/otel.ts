import type { OtelConfig } from './config.ts';
import type { OtelSettings } from './schema.ts';

/** The section `otel`; null without an endpoint, whatever else it says. */
export function resolveOtel(settings: OtelSettings): OtelConfig | null {
  const { endpoint, sample, trustIncoming, service, headers, timeout } = settings;
  if (endpoint === null) return null;
  return { endpoint, sample, trustIncoming, service, headers: { ...headers }, timeoutMs: timeout * 1000 };
}
