/** Writes the events of active checks to the operator's log. */
import type { CheckEvent } from '../checks/check-event.ts';
import { originOf } from '../core/routing/backend.ts';
import type { CheckOutcome } from '../store/checks.ts';
import type { Log } from './log.ts';

export function logCheckEvent(log: Log, event: CheckEvent): void {
  switch (event.type) {
    case 'check-failed': {
      const { type, key: frontend, backend, detail: why, outcome } = event;
      const url = originOf(backend);
      const fields = { event: type, frontend, backend: url, id: backend.id, why, isLast: outcome === 'last' };
      log.warn(fields, `${frontend}: ${url} fails its checks${effectOf(outcome)}: ${why}`);
      return;
    }
    case 'check-passed': {
      const { type, key: frontend, backend, detail: why } = event;
      const url = originOf(backend);
      const fields = { event: type, frontend, backend: url, id: backend.id, why };
      log.info(fields, `${frontend}: ${url} passes its checks again: ${why}`);
      return;
    }
    case 'checks-off':
      log.info({ event: event.type, cause: event.cause }, `backends are not checked by this router: ${event.cause}`);
      return;
    case 'checks-paused':
      log.info({ event: event.type }, 'backends are not checked while another health checker renews hchecker_ping');
      return;
    case 'checks-resumed':
      log.info({ event: event.type, lists: event.lists }, 'backends are checked again');
      return;
  }
}

function effectOf(outcome: CheckOutcome): string {
  switch (outcome) {
    case 'marked':
    case 'kept':
      return ' and is marked dead';
    case 'last':
      return " and is not marked dead, because it is the site's last living backend";
    case 'moved':
    case 'gone':
      return ' and is not in the list any more';
    case 'failed':
      return ', and the mark could not be written';
    case 'cleared':
    case 'noted':
      return '';
  }
}
