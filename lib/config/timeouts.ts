import type { Timeouts } from './config.ts';
import type { ServerSettings } from './schema.ts';

const CONNECT = 5;

/**
 * The limit of each phase. Hipache had one limit for all, `server.tcpTimeout`: where it is given, it stands for the
 * phases that are not; 0 switches them off. Connecting never takes longer for it, only shorter.
 */
export function resolveTimeouts({ timeouts, tcpTimeout }: ServerSettings): Timeouts {
  const shorter = tcpTimeout ? Math.min(CONNECT, tcpTimeout) : CONNECT;
  return {
    header: timeouts.header,
    body: timeouts.body ?? tcpTimeout ?? 30,
    connect: timeouts.connect ?? shorter,
    firstByte: timeouts.firstByte ?? tcpTimeout ?? 30,
    response: timeouts.response ?? tcpTimeout ?? 60,
    idle: timeouts.idle,
    tunnel: timeouts.tunnel,
  };
}
