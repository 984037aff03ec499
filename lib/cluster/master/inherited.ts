import { bracketed } from '../../core/routing/hostname.ts';

/** A listening socket that the program was started with. */
export interface Inherited {
  readonly fd: number;
  /** The configured address, as the starter names it; null where only the socket tells. */
  readonly address: string | null;
  readonly port: number | null;
}

/** The first descriptor that systemd passes on (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const FIRST_FD = 3;
const NAMES = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'SERVER_STARTER_PORT'];

/**
 * The sockets that systemd (`LISTEN_FDS`, only for the process `LISTEN_PID`) or Server::Starter (`SERVER_STARTER_PORT`:
 * `127.0.0.1:80=3;443=4`) has opened for this program. Deletes the variables from `env`, so that child processes do not
 * get them.
 */
export function takeInherited(env: NodeJS.ProcessEnv, pid: number): readonly Inherited[] {
  const { LISTEN_FDS: count, LISTEN_PID: owner, SERVER_STARTER_PORT: named } = env;
  for (const name of NAMES) delete env[name];
  const found = new Map<number, Inherited>();
  if (Number(owner) === pid && /^[0-9]{1,4}$/.test(count ?? '')) {
    for (let fd = FIRST_FD; fd < FIRST_FD + Number(count); fd++) found.set(fd, { fd, address: null, port: null });
  }
  for (const part of named?.split(';') ?? []) {
    const match = /^(?:(?:\[(?<v6>[^\]]+)\]|(?<v4>[^:[\]/]+)):)?(?<port>[0-9]{1,5})=(?<fd>[0-9]{1,7})$/.exec(part);
    // Other entries, for example the path of a Unix socket, are no TCP listeners.
    if (!match?.groups) continue;
    const { v6, v4, port, fd } = match.groups;
    found.set(Number(fd), { fd: Number(fd), address: v6 ?? v4 ?? null, port: Number(port) });
  }
  return [...found.values()];
}

/** The SERVER_STARTER_PORT of another program. @param sockets each with the address it was configured for */
export function namedForStarter(sockets: readonly { address: string; port: number }[]): string {
  return sockets.map(({ address, port }, index) => `${bracketed(address)}:${port}=${FIRST_FD + index}`).join(';');
}
