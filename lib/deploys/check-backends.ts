/** Checks the backends that a deploy brings, before anything changes. */
import { Probe } from '../backends/checks/probe.ts';
import { Dialer } from '../backends/dialing/dialer.ts';
import { Names } from '../backends/dialing/names.ts';
import { TimeLimits } from '../clock/time-limits.ts';
import type { CheckRules } from '../core/health/check-rules.ts';
import { isDialled } from '../core/routing/backend.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import type { BackendTls } from '../core/routing/backend-tls.ts';
import { inTheClear } from '../core/routing/legacy-scheme.ts';
import type { Backend } from '../core/routing/types.ts';
import type { UrlRules } from '../core/routing/url-rules.ts';
import type { SiteFields } from '../core/routing/site.ts';
import { checkRulesOf, hostOfChecks } from '../sites/healthcheck.ts';

/** How many backends are checked at a time. */
const AT_A_TIME = 8;

/** What a check has shown of one backend. */
export interface Checked {
  readonly url: string;
  readonly hasPassed: boolean;
  /** For operators: the status, or the error. */
  readonly detail: string;
}

/** Checks backends by their URLs. */
export type CheckBackends = (urls: readonly string[], checks: NewChecks) => Promise<readonly Checked[]>;

/** How the backends of a frontend are checked. */
export interface NewChecks {
  readonly key: string;
  /** `healthcheck:<key>`; without fields a connection is enough. */
  readonly fields: SiteFields;
  /** The path of a GET that must succeed, in place of that of `fields`; null without one. */
  readonly path: string | null;
}

/** Makes the checks: one of each backend, from this machine, with the rules of active checks. */
export function checkFrom(tls: BackendTls, { legacyScheme }: Pick<UrlRules, 'legacyScheme'>): CheckBackends {
  return async (urls, { key, fields, path }) => {
    const dialer = new Dialer(tls, new Names());
    const clock = new TimeLimits();
    const rules = checkRulesOf(path === null ? fields : new Map([...fields, ['type', 'http'], ['path', path]]));
    const left = urls.map((url, id) => ({ url, parsed: parseBackend(url, id) }));
    const checked: Checked[] = [];
    const work = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { url, parsed } = next;
        if ('fault' in parsed) checked.push({ url, hasPassed: false, detail: parsed.fault });
        else if (isDialled(parsed.backend)) {
          const isClear = legacyScheme && parsed.backend.protocol === 'https:';
          const backend = isClear ? inTheClear(parsed.backend) : parsed.backend;
          checked.push({ url, ...(await check(backend, rules, hostOfChecks(key, backend), dialer, clock)) });
        } else checked.push({ url, hasPassed: true, detail: 'the router itself responds' });
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return checked;
  };
}

function check(
  backend: Backend,
  rules: CheckRules,
  host: string,
  dialer: Dialer,
  clock: TimeLimits,
): Promise<{ readonly hasPassed: boolean; readonly detail: string }> {
  return new Promise((resolve) => {
    const probe = new Probe({ backend, rules, host }, { dialer, clock }, ({ hasPassed, detail }) => {
      probe.cancel();
      resolve({ hasPassed, detail });
    });
  });
}
