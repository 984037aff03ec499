/** The demo from its first line to its last. */
import { askOverHttp, askOverWebSocket } from './ask.mjs';
import { startBackend } from './backend.mjs';
import { makeFolder } from './folder.mjs';
import { freePort } from './ports.mjs';
import { Router } from './router.mjs';
import { cameBack, portTaken, started, whatNext } from './words.mjs';

const SITE = 'demo.localhost';

/** Runs until Ctrl-C. Returns the exit code. */
export async function runDemo(wantedPort) {
  const interrupted = interruption();
  const port = await freePort(wantedPort);
  if (wantedPort !== 0 && port !== wantedPort) console.log(portTaken(wantedPort, port));
  const adminPort = await freePort(port + 1);
  const redisPort = await freePort(port + 2);
  const backends = [await startBackend('north'), await startBackend('south')];
  const folder = makeFolder({ port, adminPort, redisPort, backends });
  const router = new Router(folder.config);
  try {
    await Promise.race([router.ready, interrupted]);
    if (interrupted.isOver) return 0;
    console.log(started({ port, backends }));
    console.log(cameBack(port, await askOverHttp(port, SITE), await askOverWebSocket(port, SITE, 'hello')));
    console.log(whatNext({ port, adminPort, redisPort, backends, ...folder }));
    const hasFailed = await Promise.race([interrupted.then(() => false), router.ended.then(() => true)]);
    if (hasFailed) throw new Error(router.said);
    return 0;
  } catch (error) {
    if (interrupted.isOver) return 0;
    console.error(`The demo failed:\n${error.message}`);
    return 1;
  } finally {
    await router.stop();
    for (const backend of backends) backend.close();
    folder.remove();
  }
}

/** Resolves when the user, or whoever started the demo, wants it to end. Said twice, it means no more than once. */
function interruption() {
  const interrupted = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
  });
  interrupted.isOver = false;
  void interrupted.then(() => {
    interrupted.isOver = true;
  });
  // A terminal that is gone must not keep us from ending what we started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return interrupted;
}
