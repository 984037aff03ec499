/** A feature that the hashes `options:<key>`, `headers:<key>` and `weights:<key>` can turn on for a site. `features.ts` lists all. */
import type { BalanceRules } from '../core/balance/site-balance.ts';
import type { SiteLimits } from '../core/site-limits.ts';
import type { RedirectStatus, Visit } from '../core/routing/redirect.ts';
import type {
  Admission,
  ConcurrencyRule,
  BufferRule,
  BandwidthRule,
  DeadOn5xx,
  EjectRule,
  RateRule,
  ResponseScene,
  SeenScheme,
  SiteHash,
} from '../core/routing/site.ts';

/** Parses the trimmed text of a field: the settings, or why it cannot be used. */
export type FieldReader<Settings> = (text: string) => Partial<Settings> | string;

/** What a feature does for a site that uses it. Missing members do nothing. */
export interface SiteBehaviour {
  /**
   * Whether the fast lane may serve a request. There it applies nothing of this feature but `target`. If missing, every
   * request of the site goes to the full lane.
   */
  readonly mayServeFast?: (host: string, scheme: SeenScheme, target: string, hasBody: boolean) => boolean;
  /**
   * Decides about a request before a backend is chosen; null lets it through. The first feature that decides counts.
   */
  readonly admit?: (visit: Visit, securePort: number | null) => Admission | null;
  /** The request target for the backend. @param prefix the route's, or "" */
  readonly target?: (target: string, prefix: string) => string;
  /** The path below the folder of a `file:` entry, undecoded, without a query. @param prefix the route's, or "" */
  readonly pathInFolder?: (target: string, prefix: string) => string;
  /** Changes the fields of a response, names and values in turn, for clients. */
  readonly response?: (fields: readonly string[], scene: ResponseScene) => readonly string[];
  /** The fields of a 101 response, which `response` does not get. */
  readonly switching?: (fields: readonly string[]) => readonly string[];
  /** The fields of a request for a backend, names and values in turn. */
  readonly request?: (fields: readonly string[]) => readonly string[];
  /** The status of redirects by `redirect:` entries without one. */
  readonly redirectStatus?: RedirectStatus;
  /** When responses mark a backend dead. */
  readonly deadOn5xx?: DeadOn5xx;
  /** When a backend is rested. */
  readonly eject?: EjectRule | null;
  /** How many requests the site takes. */
  readonly rate?: RateRule | null;
  /** How many requests may be in flight. */
  readonly concurrency?: ConcurrencyRule | null;
  /** The limits of its exchanges. */
  readonly limits?: SiteLimits;
  /** Which bodies are buffered. */
  readonly buffer?: BufferRule | null;
  /** How many bytes a second its clients get. */
  readonly bandwidth?: BandwidthRule | null;
  /** The host that clients of other names are redirected to. Lint reports when no frontend serves it. */
  readonly canonicalHost?: string | null;
  /** How a backend is chosen. Features that say something about it are joined; a later one counts. */
  readonly balance?: Partial<BalanceRules>;
}

/** A field that has no effect, and why. */
export interface IdleFields {
  readonly fields: readonly string[];
  readonly text: string;
}

/** A feature as its file defines it. */
export interface FeatureDefinition<Settings extends object> {
  /** Its fields, in the order of the documentation. */
  readonly fields: Readonly<Record<string, FieldReader<Settings>>>;
  /** Fields that a prefix does not inherit from its host, because they are about the host's own path. */
  readonly ofThePath?: readonly string[];
  /** The settings of fields that are not given. */
  readonly defaults: Settings;
  readonly behaviour: (settings: Settings) => SiteBehaviour;
  /** Fields that have no effect next to others. @param used the usable fields of the site */
  readonly idle?: (used: ReadonlySet<string>) => IdleFields | null;
}

/** A feature whose settings only its own file sees. */
export interface SiteFeature {
  /** Where its fields are. */
  readonly hash: SiteHash;
  /** Those that can be listed; a feature may have others. */
  readonly fieldNames: readonly string[];
  /** Whether a field is one of its own. No field is one of two features. */
  has(field: string): boolean;
  /** Of two fields with the same identity only one counts. */
  identityOf(field: string): string;
  isOfThePath(field: string): boolean;
  /** Why a text cannot be used for one of its fields; null when it can. */
  fault(field: string, text: string): string | null;
  /** @param layers the fields of each layer, the lowest precedence first; unusable ones are skipped */
  behaviour(layers: readonly (readonly [field: string, text: string])[]): SiteBehaviour;
  idle(used: ReadonlySet<string>): IdleFields | null;
}

/** Makes a feature of its definition. */
export function siteFeature<Settings extends object>(definition: FeatureDefinition<Settings>): SiteFeature {
  const { defaults, behaviour, ofThePath = [], idle = () => null } = definition;
  const readers = new Map(Object.entries(definition.fields));
  const read = (field: string, text: string): Partial<Settings> | string =>
    readers.get(field)?.(text.trim()) ?? 'there is no such option';
  return {
    hash: 'options',
    fieldNames: [...readers.keys()],
    has: (field) => readers.has(field),
    identityOf: (field) => field,
    isOfThePath: (field) => ofThePath.includes(field),
    fault: (field, text) => {
      const said = read(field, text);
      return typeof said === 'string' ? said : null;
    },
    behaviour: (fields) => {
      const settings = { ...defaults };
      for (const [field, text] of fields) {
        const said = read(field, text);
        if (typeof said === 'object') Object.assign(settings, said);
      }
      return behaviour(settings);
    },
    idle,
  };
}
