/** A port that takes no connection and refuses none: packets to it go unanswered, as behind a firewall. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';

/** Listens with the shortest queue there is and never accepts: once the queue is full, the system drops what comes. */
const SCRIPT = `
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** More than any queue of one holds. */
const FILLERS = 8;

/** Starts one and gives its URL; null where this system accepts connections beyond the backlog. */
export async function startBlackhole(t: TestContext): Promise<string | null> {
  const child = spawn(process.execPath, ['-e', SCRIPT], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(said.toString());
  const fillers = Array.from({ length: FILLERS }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.after(() => {
    for (const filler of fillers) filler.destroy();
  });
  await once(fillers[0] ?? child, 'connect');
  return (await isDeaf(port)) ? `http://127.0.0.1:${port}` : null;
}

/** Whether a connection to a port of this machine is not made, though a tenth of a millisecond would do. */
async function isDeaf(port: number): Promise<boolean> {
  const probe = connect(port, '127.0.0.1');
  const isMade = await Promise.race([
    once(probe, 'connect').then(() => true),
    new Promise<boolean>((resolve) => setTimeout(resolve, 300, false)),
  ]);
  probe.on('error', () => {}).destroy();
  return !isMade;
}
