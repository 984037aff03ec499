/** The system's own (syslog(3)). */
const SYSTEM_SOCKET = '/dev/log';
const SCHEME = 'syslog:';

/** The path of the socket that `server.accessLog` names: `syslog` or `syslog:/path`; null when it names something else. */
export function syslogSocket(accessLog: string): string | null {
  if (accessLog === 'syslog') return SYSTEM_SOCKET;
  return accessLog.startsWith(SCHEME) ? accessLog.slice(SCHEME.length) : null;
}

/** The name that `syslogSocket` reads. */
export function syslogName(socket: string): string {
  return `${SCHEME}${socket}`;
}
