import { bracketed } from '../../core/routing/hostname.ts';

/** A listening socket that the program was started with. */
export interface Inherited {
  readonly fd: number;
  /** What whoever started us calls it; null where only the socket knows. */
  readonly address: string | null;
  readonly port: number | null;
}

/** The first descriptor that systemd passes on (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const FIRST_FD = 3;
const NAMES = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'SERVER_STARTER_PORT'];

/**
 * The sockets that systemd (`LISTEN_FDS`, for the process `LISTEN_PID` only) or Server::Starter
 * (`SERVER_STARTER_PORT`: `127.0.0.1:80=3;443=4`) has opened for us. Takes the variables out of `env`: they are not
 * meant for children.
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
    // What is no TCP port, the path of a Unix socket for example, is nothing that we listen on.
    if (!match?.groups) continue;
    const { v6, v4, port, fd } = match.groups;
    found.set(Number(fd), { fd: Number(fd), address: v6 ?? v4 ?? null, port: Number(port) });
  }
  return [...found.values()];
}

/** What `takeInherited` of another program reads. @param sockets each with the place it was configured for */
export function namedForStarter(sockets: readonly { address: string; port: number }[]): string {
  return sockets.map(({ address, port }, index) => `${bracketed(address)}:${port}=${FIRST_FD + index}`).join(';');
}
