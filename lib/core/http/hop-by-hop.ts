import { trimmed } from './white-space.ts';

/**
 * Fields about one connection, not the message (RFC 9110 §7.6.1): never passed on. Without framing fields, which the
 * writer of a message sets.
 */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings']);

/**
 * Fields that a Connection header may not remove: that would change the meaning of the message, or remove fields set
 * by the router.
 */
const PROTECTED =
  /^(?:host|content-length|transfer-encoding|trailer|forwarded|x-forwarded-.*|x-real-ip|x-ssl-client-.*|x-request-id)$/;

/** Whether a field is about one connection, whatever a Connection header says. */
export function isHopByHop(lowerName: string): boolean {
  return HOP_BY_HOP.has(lowerName);
}

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
