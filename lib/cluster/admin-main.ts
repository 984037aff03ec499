/** The process of the admin interface: says hello, gets the configuration, and serves until it gets `close`. */
import { Admin } from '../admin/admin.ts';
import type { FromAdmin, ToAdmin } from '../admin/messages.ts';
import type { Config } from '../config/config.ts';
import { giveSocket } from '../files/give-socket.ts';
import { createLog } from '../observe/log.ts';
import { listenFault } from './listen-fault.ts';
import { dropPrivileges } from './privileges.ts';

let admin: Admin | null = null;
const log = createLog({ debug: false, log: 'auto' }, (line) => admin?.events.add(line));

// Sockets that it creates are only for its user and group.
process.umask(0o007);

function say(message: FromAdmin): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function start(config: Config): Promise<void> {
  log.configure(config.server);
  admin = new Admin(config, {
    say,
    onListenFault: (place, error) => {
      const where = 'socket' in place ? place.socket : `${place.address} port ${place.port}`;
      const cause = listenFault(error);
      log.error({ event: 'admin-unheard', cause }, `the admin interface cannot listen on ${where} yet: ${cause}`);
    },
    onMistake: (error) => log.error({ event: 'admin-mistake', err: error }, 'a bug in the admin interface'),
  });
  const listening = await admin.open();
  if (config.runAs) {
    for (const place of config.admin?.places ?? []) if ('socket' in place) giveSocket(place.socket, config.runAs);
    dropPrivileges(config.runAs);
  }
  log.info({ event: 'admin-ready', listening }, `the admin interface is on ${listening.join(', ')}`);
}

process.on('message', (message: ToAdmin) => {
  if (message.type === 'close') void end();
  else if (message.type !== 'configure') admin?.hear(message);
  else if (admin) reconfigure(admin, message.config);
  // A failed listen is logged by onListenFault and tried again.
  else start(message.config).catch(() => {});
});

function reconfigure(running: Admin, config: Config): void {
  log.configure(config.server);
  running.configure(config);
}

async function end(): Promise<void> {
  await admin?.close();
  process.exit(0);
}

// The master has exited.
process.on('disconnect', () => process.exit(0));
// A terminal sends its signals to every process of the group; the master acts on them.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => {});

say({ type: 'hello' });
