import type { Config } from '../config/config.ts';
import { siteCaps } from '../config/site-caps.ts';
import { version } from '../core/version.ts';
import { checkFrom } from '../deploys/check-backends.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import type { Fleet } from '../store/fleet.ts';
import type { EventsAnswer } from './answers.ts';
import { configuredCertificates } from './configured-certificates.ts';
import type { Dashboard } from './dashboard.ts';
import type { EventLog } from './event-log.ts';
import type { Deploys } from './deploys.ts';
import { fleetAnswer } from './fleet-answer.ts';
import { frontends, told } from './frontends.ts';
import { openApi } from './openapi.ts';
import { overview } from './overview.ts';
import { json } from './reply.ts';
import type { Requests } from './requests.ts';
import type { Totals } from './totals.ts';
import type { WorkerQueries } from './workforce.ts';

/** The events, also as a WebSocket. */
export const EVENTS_PATH = '/api/v1/events';

/** What the handlers work with. */
export interface RequestsParts {
  readonly config: Config;
  readonly editor: RouteEditor;
  readonly workerQueries: WorkerQueries;
  readonly totals: Totals;
  readonly dashboard: Dashboard;
  readonly events: EventLog;
  readonly fleet: Fleet;
  readonly deploys: Deploys;
}

/** The handlers of all requests. `openapi.ts` describes each. */
export function allRequests(parts: RequestsParts): Requests {
  const { config, editor, workerQueries, totals, dashboard, events, fleet, deploys } = parts;
  const document = openApi(version);
  return {
    ...overview({ workerQueries, totals, store: editor.name, needsToken: config.admin?.token !== null }),
    ...frontends(editor, workerQueries, totals, configuredCertificates(config), {
      httpsPort: config.listeners.find(({ tls }) => tls !== null)?.port ?? null,
      config: new Map(Object.entries(config.options)),
      zone: config.server.zone,
      caps: siteCaps(config.server.timeouts, config.server.limits),
    }),
    ...deploys.requests({ editor, fleet, check: checkFrom(config.backendTls, editor.urls) }),
    'GET /api/v1/fleet': told(async () => json(fleetAnswer(await fleet.beats()))),
    'GET /': () => ({ status: 200, headers: dashboard.headers, body: dashboard.html }),
    'GET /api/v1/openapi.json': () => json(document),
    [`GET ${EVENTS_PATH}`]: () => json({ events: events.events } satisfies EventsAnswer),
  };
}
