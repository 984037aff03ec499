/** What Node cannot do itself and Python can: datagrams by Unix sockets, terminals. Only tests need it. */
import { spawnSync } from 'node:child_process';

/** Why tests that need it are skipped; false where there is one. */
export const noPython: string | false =
  spawnSync('python3', ['-c', ''], { stdio: 'ignore' }).status === 0 ? false : 'there is no python3';

/** Runs a program with a terminal for its standard streams, and passes on what it writes there. For `python3 -c`. */
export const IN_TERMINAL = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
os.waitpid(pid, 0)
`;
