import { trimmed } from './white-space.ts';

/**
 * Fields that are about one connection, not about the message (RFC 9110 §7.6.1): never passed on.
 * Framing fields are not among them: whoever writes a message sets its own.
 */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings']);

/** Fields that a Connection header may not take away: the message would change its meaning, or the router's word its. */
const PROTECTED =
  /^(?:host|content-length|transfer-encoding|trailer|forwarded|x-forwarded-.*|x-real-ip|x-ssl-client-.*|x-request-id)$/;

/** The lower-case names to leave out of a message when it is passed on, its Connection nominations included. */
export function hopByHop(rawHeaders: readonly string[]): ReadonlySet<string> {
  let names: Set<string> | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const item of (rawHeaders[i + 1] ?? '').toLowerCase().split(',')) {
      const nominated = trimmed(item);
      if (nominated === '' || HOP_BY_HOP.has(nominated) || nominated === 'close' || PROTECTED.test(nominated)) continue;
      names ??= new Set(HOP_BY_HOP);
      names.add(nominated);
    }
  }
  return names ?? HOP_BY_HOP;
}
