/** Writes the events of stores and routing to the operator's log, each with a stable event name. */
import { originOf } from '../core/routing/backend.ts';
import type { DeathEvent } from '../proxy/mark-dead.ts';
import type { StoreEvent } from '../store/store.ts';
import { describeCause, type Log } from './log.ts';
import type { SyslogWatcher } from './syslog-lines.ts';

/** Logs an event of a store. */
export function logStoreEvent(log: Log, notice: StoreEvent): void {
  switch (notice.type) {
    case 'store-up':
      log.info({ event: notice.type, store: notice.store }, `${notice.store} replies`);
      return;
    case 'store-down': {
      const cause = describeCause(notice.cause);
      log.error({ event: notice.type, store: notice.store, cause }, `${notice.store} does not reply: ${cause}`);
      return;
    }
    case 'store-emptied':
      log.error(
        { event: notice.type, store: notice.store },
        `${notice.store} was restarted without frontend: keys: the last known routes are used until it has some`,
      );
      return;
    case 'push-refused': {
      const cause = describeCause(notice.cause);
      log.warn(
        { event: notice.type, cause },
        `Redis cannot send change notifications (${cause}): each request does a lookup`,
      );
      return;
    }
    case 'preloaded':
      log.info({ event: notice.type, frontends: notice.frontends }, `${notice.frontends} routes were preloaded`);
      return;
    case 'snapshot-loaded':
      log.info(
        { event: notice.type, file: notice.file, routes: notice.routes },
        `${notice.file}: the last known routes of ${notice.routes} ${notice.routes === 1 ? 'host' : 'hosts'}`,
      );
      return;
    case 'snapshot-refused': {
      const cause = describeCause(notice.cause);
      log.warn({ event: notice.type, file: notice.file, cause }, `the snapshot ${notice.file} is not used: ${cause}`);
      return;
    }
    case 'snapshot-failed': {
      const cause = describeCause(notice.cause);
      log.error(
        { event: notice.type, file: notice.file, cause },
        `the snapshot ${notice.file} cannot be written: ${cause}`,
      );
      return;
    }
    case 'route-fault':
      log.warn({ event: notice.type, key: notice.key, fault: notice.fault }, `${notice.key}: ${notice.fault}`);
      return;
    case 'certificate-fault':
      log.error({ event: notice.type, key: notice.key, fault: notice.fault }, `${notice.key} ${notice.fault}`);
      return;
    case 'routes-loaded':
      log.info(
        { event: notice.type, file: notice.file, frontends: notice.frontends },
        `${notice.file}: ${notice.frontends} ${notice.frontends === 1 ? 'frontend' : 'frontends'}`,
      );
      return;
    case 'routes-refused':
      log.error({ event: notice.type, file: notice.file, fault: notice.fault }, `${notice.file}: ${notice.fault}`);
      return;
  }
}

/** Logs that a backend was marked dead, or responds again. */
export function logDeathEvent(log: Log, notice: DeathEvent): void {
  const { route, backend } = notice.death;
  const { frontend } = route;
  const url = originOf(backend);
  switch (notice.type) {
    case 'backend-dead': {
      const { ttlSeconds, why } = notice;
      log.warn(
        { event: notice.type, frontend, backend: url, id: backend.id, ttlSeconds, why },
        `${frontend}: ${url} is dead: ${why}`,
      );
      return;
    }
    case 'last-backend':
      log.warn(
        { event: notice.type, frontend, backend: url, id: backend.id, why: notice.why },
        `${frontend}: ${url} fails, and is not marked dead because it is the site's last living backend: ${notice.why}`,
      );
      return;
    case 'backend-rested': {
      const { restSeconds, requests, failures, why } = notice;
      log.warn(
        { event: notice.type, frontend, backend: url, id: backend.id, restSeconds, requests, failures, why },
        `${frontend}: ${url} gets no requests for ${restSeconds} s: ${failures} of ${requests} have failed, the last: ${why}`,
      );
      return;
    }
    case 'death-unfiled': {
      const cause = describeCause(notice.cause);
      log.error(
        { event: notice.type, frontend, backend: url, cause },
        `${url} could not be marked dead, this worker tries again later: ${cause}`,
      );
      return;
    }
    case 'backend-alive': {
      const { deadSeconds } = notice;
      log.info(
        { event: notice.type, frontend, backend: url, id: backend.id, deadSeconds },
        `${frontend}: ${url} is alive again after ${deadSeconds} s`,
      );
      return;
    }
  }
}

/** Logs when the access log cannot be sent to syslog, and when it can again. */
export function syslogEvents(log: Log): SyslogWatcher {
  return {
    onTrouble: (error) => {
      const cause = describeCause(error);
      log.error({ event: 'log-failed', cause }, `the access log cannot be sent to syslog: ${cause}`);
    },
    onWell: (lost) => {
      log.info({ event: 'log-restored', lost }, `the access log is sent to syslog again; ${lost} lines were lost`);
    },
  };
}
