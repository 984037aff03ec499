/** `https` and `canonical`: clients are redirected to TLS, to the site's one host name, or to both in one step. */
import { bracketed, hostOf } from '../core/routing/hostname.ts';
import {
  askedPort,
  isPortKnown,
  pathFrom,
  portOf,
  type Redirect,
  type RedirectStatus,
  redirectStatusOf,
  type Visit,
} from '../core/routing/redirect.ts';
import { wholeNumber } from './field-readers.ts';
import { siteFeature } from './feature.ts';

interface Settings {
  /** Whether clients without TLS are redirected to HTTPS. */
  readonly toHttps: boolean;
  /** The status of that redirect only; null: `redirectStatus`. */
  readonly httpsStatus: RedirectStatus | null;
  /** The port of HTTPS; null: where the router listens. */
  readonly httpsPort: number | null;
  /** The host that clients of other names are redirected to. `port`: with its colon; null keeps the client's. */
  readonly canonical: { readonly hostname: string; readonly port: string | null } | null;
  readonly redirectStatus: RedirectStatus;
}

/** The features `https` and `canonical`. */
export const redirects = siteFeature<Settings>({
  fields: {
    https: readHttps,
    httpsPort: wholeNumber(1, 65_535, (httpsPort) => ({ httpsPort })),
    canonical: readCanonical,
    redirectStatus: readStatus,
  },
  defaults: { toHttps: false, httpsStatus: null, httpsPort: null, canonical: null, redirectStatus: 308 },
  behaviour: (settings) => {
    const { toHttps, canonical, redirectStatus } = settings;
    return {
      redirectStatus,
      canonicalHost: canonical?.hostname ?? null,
      mayServeFast: (host, scheme) =>
        (!toHttps || scheme === 'https') && (canonical === null || hostOf(host) === canonical.hostname),
      admit: (visit, securePort) => {
        const redirect = redirectOf(settings, visit, securePort);
        return redirect && { type: 'redirected', redirect };
      },
    };
  },
});

function redirectOf(settings: Settings, visit: Visit, securePort: number | null): Redirect | null {
  const { canonical } = settings;
  const port = settings.httpsPort ?? securePort;
  const isUpgrade = settings.toHttps && visit.scheme === 'http' && port !== null;
  const isElsewhere = canonical !== null && visit.hostname !== canonical.hostname;
  if (!isUpgrade && !isElsewhere) return null;
  const status = (isUpgrade ? settings.httpsStatus : null) ?? settings.redirectStatus;
  const name = isElsewhere ? canonical.hostname : visit.hostname;
  const scheme = isUpgrade ? 'https' : visit.scheme;
  const own = isUpgrade ? portSuffix(port) : (canonical?.port ?? null);
  const location = `${scheme}://${name}${own ?? askedPort(visit)}${pathFrom(visit.path)}`;
  return { status, location, mayBeStored: own !== null || isPortKnown(visit) };
}

function portSuffix(port: number): string {
  return port === 443 ? '' : `:${port}`;
}

function readHttps(text: string): Partial<Settings> | string {
  if (text === 'both') return { toHttps: false };
  const [how, code, ...more] = text.split(/\s+/);
  const httpsStatus = code === undefined ? null : redirectStatusOf(code);
  const isRight = how === 'redirect' && more.length === 0 && (code === undefined || httpsStatus !== null);
  return isRight
    ? { toHttps: true, httpsStatus }
    : 'it must be "redirect", optionally with a space and a status, or "both"';
}

function readStatus(text: string): Partial<Settings> | string {
  const redirectStatus = redirectStatusOf(text);
  return redirectStatus === null ? 'it must be 301, 302, 303, 307 or 308' : { redirectStatus };
}

function readCanonical(text: string): Partial<Settings> | string {
  const hostname = hostOf(text);
  if (hostname === null) return 'it must be a host';
  const port = portOf(text);
  const name = hostname.startsWith('[') ? hostname : bracketed(hostname);
  return { canonical: { hostname: name, port: port === '' ? null : port } };
}
