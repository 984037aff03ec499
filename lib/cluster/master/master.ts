/** The master process: starts, changes and stops the router. It forks workers, and accepts no connections itself. */
import type { FromAdmin } from '../../admin/messages.ts';
import type { Config } from '../../config/config.ts';
import type { ConfigSource } from '../../config/load.ts';
import { version } from '../../core/version.ts';
import { createLog, describeCause, type Log } from '../../observe/log.ts';
import { logStoreEvent } from '../../observe/events.ts';
import type { StoreEvent } from '../../store/store.ts';
import { prepareAccessLog } from './access-file.ts';
import { AdminProcess } from './admin-process.ts';
import { Changes } from './changes.ts';
import { warnOfFewResources, warnOfSpareSockets } from './start-warnings.ts';
import { prepareForks } from './forks.ts';
import type { Generation } from './generation.ts';
import { Generations } from './generations.ts';
import { sourceOf } from './last-good-certificates.ts';
import type { Reports } from './worker-messages.ts';
import { takeCertificates } from './handed-certificates.ts';
import { hasPredecessor, takeOverSnapshot } from './snapshot-handover.ts';
import { takeInherited } from './inherited.ts';
import { LastChanges } from './last-changes.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { movePidFile, removePidFile, writePidFile } from './pid-file.ts';
import { ServiceManager } from './service-manager.ts';
import { onSignals } from './signals.ts';
import { Sockets } from './sockets.ts';
import { Stop } from './stop.ts';
import { Successor, tellPredecessor } from './successor.ts';
import { ROTATION_MS, TicketKeys } from './ticket-keys.ts';

/** How long a new program may take until it serves, ms. */
const UPGRADE_MS = 60_000;

/**
 * Runs the router until it is stopped.
 * @returns the exit code: 0 after a requested stop, 1 when the first workers could not start
 * @throws ConfigError when the configuration is invalid
 */
export async function runMaster(source: ConfigSource): Promise<number> {
  return await new Master(source).run();
}

class Master {
  readonly #source: ConfigSource;
  readonly #log: Log;
  #config: Config;
  readonly #sockets = new Sockets();
  /** The same for all generations: a reload keeps them. */
  readonly #ticketKeys = new TicketKeys(ROTATION_MS, (keys) => this.#generations.tell({ type: 'ticket-keys', keys }));
  readonly #generations: Generations;
  readonly #lastKnown: SnapshotKeeper;
  readonly #manager: ServiceManager;
  readonly #admin: AdminProcess;
  readonly #changes: Changes;
  readonly #lastChanges: LastChanges;
  readonly #ending: Stop;
  #successor: Successor | null = null;
  #beginning: Promise<void> = Promise.resolve();
  #isStopping = false;
  #exit: (code: number) => void = () => {};

  constructor(source: ConfigSource) {
    this.#source = source;
    this.#config = source.load();
    this.#log = createLog(this.#config.server, (line) => this.#admin.event(line));
    this.#generations = new Generations(
      this.#log,
      { ticketKeys: () => this.#ticketKeys.current, known: (config) => this.#lastKnown.run(config) },
      hasPredecessor(process.env),
      this.#reports(),
    );
    this.#ending = new Stop(this.#generations, this.#sockets);
    this.#lastKnown = new SnapshotKeeper(this.#notify);
    this.#manager = new ServiceManager(process.env, process.pid, (cause) =>
      this.#log.warn(
        { event: 'notify-failed', cause: describeCause(cause) },
        'cannot report the state of the router to systemd',
      ),
    );
    this.#lastChanges = new LastChanges(() => this.#generations.current, this.#lastKnown, this.#manager);
    this.#admin = new AdminProcess({
      onAsk: (message) => this.#onAsk(message),
      onDeath: (pid, how, respawnMs) =>
        this.#log.error(
          { event: 'admin-died', admin: pid, how, respawnMs },
          `the admin interface ended (${how}); it is restarted in ${respawnMs} ms`,
        ),
    });
    this.#changes = new Changes({
      reload: () => this.#changeOver(),
      upgrade: () => this.#startSuccessor(),
      isOver: () => this.#isStopping,
    });
  }

  async run(): Promise<number> {
    const finished = new Promise<number>((resolve) => {
      this.#exit = resolve;
    });
    prepareForks();
    const stopListening = onSignals({
      stop: () => this.#stop(),
      reload: () => this.#changes.want('reload', this.#beginning),
      upgrade: () => this.#changes.want('upgrade', this.#beginning),
      reopenLogs: () => this.#reopenLogs(),
    });
    try {
      this.#beginning = this.#begin(this.#config);
      return await finished;
    } finally {
      stopListening();
      if (this.#config.server.pidFile !== null) removePidFile(this.#config.server.pidFile);
      this.#ticketKeys.close();
      await this.#manager.close();
      this.#log.end();
    }
  }

  /** Starts the first generation, or exits with the reason. */
  async #begin(config: Config): Promise<void> {
    const isUpgrade = hasPredecessor(process.env);
    let generation: Generation | null = null;
    try {
      const { pidFile } = config.server;
      prepareAccessLog(config.server.accessLog, config.runAs);
      this.#sockets.adopt(takeInherited(process.env, process.pid));
      generation = this.#generations.create(config, this.#sockets.open(config.listeners));
      this.#generations.current = generation;
      warnOfSpareSockets(this.#sockets.dropSpare(), this.#log);
      await this.#lastKnown.configure(config);
      // In parallel: a message that comes before its listener would be lost.
      await Promise.all([
        takeCertificates((kept) => this.#generations.goodPairs.keep(kept, null), process.env),
        takeOverSnapshot(process.env, (estate) => this.#lastKnown.inherit(config, estate)),
      ]);
      this.#generations.goodPairs.keepOnly(sourceOf(config));
      if (this.#isStopping) return;
      const listening = await generation.start(this.#notify);
      if (this.#isStopping) return;
      if (pidFile !== null) writePidFile(pidFile);
      const { workers } = config.server;
      this.#lastChanges.reload.made();
      if (isUpgrade) this.#lastChanges.upgrade.made();
      const where = listening.join(', ');
      this.#log.info(
        { event: 'ready', version, workers, listening },
        `hipache ${version} is ready on ${where} (${workers} ${workers === 1 ? 'worker' : 'workers'})`,
      );
      this.#manager.ready(this.#lastChanges.status);
      await this.#admin.configure(config);
      tellPredecessor();
      warnOfFewResources(config, this.#log);
    } catch (error) {
      if (this.#isStopping) return;
      this.#isStopping = true;
      generation?.kill();
      this.#log.fatal({ event: 'start-failed' }, `hipache cannot start: ${describeCause(error)}`);
      this.#exit(1);
    }
  }

  /** Starts the program again from disk. When the new one serves, this one drains and exits. */
  async #startSuccessor(): Promise<void> {
    try {
      // When process 1 exits, its container ends.
      if (process.pid === 1) throw new Error('this is process 1, which cannot be replaced: start another container');
      // Saves what the workers know, for the new program.
      await this.#lastKnown.save();
      const known = { estate: this.#lastKnown.estate, pairs: this.#generations.goodPairs.all() };
      const successor = new Successor(this.#sockets.toHandOver(this.#config.listeners), known, UPGRADE_MS);
      this.#successor = successor;
      await successor.ready;
      if (this.#isStopping) return;
      successor.release();
      await this.#admin.close(); // the successor has one of its own, in the same place
      this.#log.info({ event: 'upgraded', successor: successor.pid }, `process ${successor.pid} serves now`);
      void this.#finish(false);
    } catch (error) {
      if (this.#isStopping) return;
      const cause = describeCause(error);
      this.#lastChanges.upgrade.refused(cause);
      this.#lastChanges.tell();
      this.#log.error({ event: 'upgrade-failed', cause }, `the upgrade failed, this program continues: ${cause}`);
    } finally {
      this.#successor = null;
    }
  }

  /** Reads the configuration again and replaces the workers. An invalid configuration changes nothing. */
  async #changeOver(): Promise<void> {
    const old = this.#generations.current;
    let next: Generation | null = null;
    this.#manager.reloading();
    try {
      const config = this.#source.load();
      prepareAccessLog(config.server.accessLog, config.runAs);
      next = this.#generations.create(config, this.#sockets.open(config.listeners));
      this.#lastKnown.open(config);
      await next.start(this.#notify);
      if (this.#isStopping) return;
      // The last step that may fail: the steps after it are not undone.
      movePidFile(this.#config.server.pidFile, config.server.pidFile);
      this.#config = config;
      this.#generations.current = next;
      next = null;
      await this.#lastKnown.configure(config);
      await this.#admin.configure(config);
      this.#log.configure(config.server);
      if (old) await this.#generations.retire(old);
      this.#generations.goodPairs.keepOnly(sourceOf(config));
      this.#sockets.keep(config.listeners);
      this.#lastChanges.reload.made();
      this.#log.info({ event: 'reloaded', workers: config.server.workers }, 'the configuration was reloaded');
    } catch (error) {
      if (this.#isStopping) return;
      if (next) this.#generations.drop(next);
      this.#lastKnown.keepOnly(this.#config);
      this.#sockets.keep(this.#config.listeners);
      const cause = describeCause(error);
      this.#lastChanges.reload.refused(cause);
      this.#log.error({ event: 'reload-refused', cause }, `reload refused, the old configuration stays: ${cause}`);
    }
    this.#manager.ready(this.#lastChanges.status);
  }

  #reopenLogs(): void {
    try {
      prepareAccessLog(this.#config.server.accessLog, this.#config.runAs);
    } catch (error) {
      const cause = describeCause(error);
      this.#log.error({ event: 'log-failed', cause }, `cannot reopen the access log: ${cause}`);
      this.#lastChanges.logs.refused(cause);
      this.#lastChanges.tell();
      return;
    }
    this.#lastChanges.logs.made();
    this.#lastChanges.tell();
    this.#generations.tell({ type: 'reopen-logs' });
  }

  /** Drains and exits. A second call exits at once. */
  #stop(): void {
    if (this.#isStopping) return this.#ending.force();
    this.#log.info({ event: 'stopping' }, 'hipache is stopping: it finishes open requests');
    this.#manager.stopping();
    this.#successor?.kill();
    void this.#finish(true);
  }

  /** @param isLast no other program takes over */
  async #finish(isLast: boolean): Promise<void> {
    this.#isStopping = true;
    if (!isLast) await this.#lastKnown.leave();
    await this.#ending.finish(this.#config, isLast);
    await this.#lastKnown.close();
    await this.#admin.close();
    this.#log.info({ event: 'stopped' }, 'hipache has stopped');
    this.#exit(0);
  }

  readonly #notify = (notice: StoreEvent): void => {
    logStoreEvent(this.#log, notice);
    // The event may be a change of the routes file.
    this.#lastChanges.tell();
  };

  #reports(): Reports {
    return {
      event: (line) => this.#admin.event(line),
      told: (id, answer, pid) => this.#admin.tell({ type: 'told', id, answer, pid }),
      logKept: (cause) => {
        this.#lastChanges.logs.refused(cause);
        this.#lastChanges.tell();
      },
      learn: (config, update) => this.#lastKnown.learn(config, update),
      answer: (config, query) => this.#lastKnown.answer(config, query),
    };
  }

  /** Passes a question of the admin interface to every worker, and replies with a list of them. */
  #onAsk({ id, question }: Extract<FromAdmin, { type: 'ask' }>): void {
    if (question.type === 'forget') this.#lastKnown.forget(question.host);
    const workers = this.#generations.ask(id, question);
    this.#admin.tell({
      type: 'asked',
      id,
      master: {
        pid: process.pid,
        upSeconds: process.uptime(),
        residentBytes: process.memoryUsage.rss(),
        listening: this.#generations.current?.listening ?? [],
        workers: this.#config.server.workers,
        isStopping: this.#isStopping,
        hasRoutes: this.#lastKnown.hasRoutes,
        changes: this.#lastChanges.all,
      },
      workers,
    });
  }
}
