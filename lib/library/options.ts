import type { SiteFeature } from '../sites/feature.ts';
import type { LookupStore } from './lookup-store.ts';
import type { RouteTexts } from './routes.ts';

/** A section of the configuration, as in its file: see docs/configuration.md. */
export type Section = Readonly<Record<string, unknown>>;

/** An event, as the operator's log has it: docs/logs.md lists all, with their fields. */
export interface RouterEvent {
  /** Its name, such as `backend-dead`. */
  readonly event: string;
  readonly level: string;
  /** ISO 8601. */
  readonly time: string;
  /** A sentence for operators. */
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What a router is made of. At most one of `routes`, `store` and `config.driver` says where its routes are. */
export interface RouterOptions {
  /**
   * The configuration: the path of a file, or an object with the same keys. Keys about processes have no effect. In an object,
   * and without one, `http` is `{ port: 0 }`, any free port of 127.0.0.1, `server.accessLog` is null, and the routes are in
   * memory, if the keys do not say otherwise.
   */
  readonly config?: string | Section | undefined;
  /** Instead of those of `config`. */
  readonly http?: Section | undefined;
  readonly https?: Section | undefined;
  /** Routes in memory, as in a routes file. `Router.routes` changes them. */
  readonly routes?: RouteTexts | undefined;
  /** Where lookups go instead. */
  readonly store?: LookupStore | undefined;
  /** Features of sites, besides the router's own, and after them. Their fields are options of frontends in all kinds of stores. */
  readonly features?: readonly SiteFeature[] | undefined;
  /** Called with each event, from the start on. `Router.events` has the same events by name. */
  readonly onEvent?: ((event: RouterEvent) => void) | undefined;
}
