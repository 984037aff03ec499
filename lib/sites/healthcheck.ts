/** `healthcheck:<key>`: how the backends of a list are checked. `path`, `status` and `body` are PlanB's. */
import type { CheckRules, StatusRange } from '../core/health/check-rules.ts';
import { bracketed } from '../core/routing/hostname.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { SiteFields } from '../core/routing/site.ts';
import type { Backend } from '../core/routing/types.ts';
import type { IdleFields } from './feature.ts';

/** What the fields say. */
type Said = Partial<CheckRules>;
/** @returns a string that says what is wrong, where something is */
type Reader = (text: string) => Said | string;

const KINDS: ReadonlySet<string> = new Set(['http', 'tcp', 'grpc']);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const MAX_SECONDS = 300;
const MAX_COUNT = 100;
const MAX_TEXT = 2_000;
const MAX_STATUSES = 20;
/** Without `status`: PlanB takes any response. One that says that the backend has failed does not pass. */
const NOT_FAILED: readonly StatusRange[] = [[100, 499]];

const READERS: Readonly<Record<string, Reader>> = {
  type: (text) => (KINDS.has(text) ? { kind: text as CheckRules['kind'] } : 'it is http, tcp or grpc'),
  path: (text) => {
    const path = `/${text.replace(/^\/+/, '')}`;
    return path.length <= MAX_TEXT && /^[!-~]+$/.test(path) ? { path } : 'it is no path of a request';
  },
  status: (text) => {
    // So PlanB reads them.
    if (text === '' || /^0+$/.test(text)) return {};
    const statuses = text.split(',').map((part) => rangeOf(part.trim()));
    return statuses.length <= MAX_STATUSES && statuses.every((range) => range !== null)
      ? { statuses }
      : 'it is a status, as 200, 2xx or 200-299, or several with commas';
  },
  body: (text) => (text.length <= MAX_TEXT ? { body: text } : `it has ${MAX_TEXT} characters at most`),
  method: (text) => (METHODS.has(text) ? { method: text } : 'it is GET, HEAD or OPTIONS'),
  host: (text) => (/^[\w.:[\]-]{1,255}$/.test(text) ? { host: text } : 'it is no host'),
  port: (text) => wholeIn(text, 1, 65_535, (port) => ({ port })),
  service: (text) => (/^[\w./-]{1,200}$/.test(text) ? { service: text } : 'it is no name of a gRPC service'),
  interval: (text) => wholeIn(text, 1, MAX_SECONDS, (seconds) => ({ intervalMs: seconds * 1000 })),
  timeout: (text) => wholeIn(text, 1, MAX_SECONDS, (seconds) => ({ timeoutMs: seconds * 1000 })),
  rise: (text) => wholeIn(text, 1, MAX_COUNT, (rise) => ({ rise })),
  fall: (text) => wholeIn(text, 1, MAX_COUNT, (fall) => ({ fall })),
  first: (text) => (text === '1' || text === '0' ? { first: text === '1' } : 'it is 1 or 0'),
};

/** All fields, in the order of the documentation. */
export const CHECK_FIELDS: readonly string[] = Object.keys(READERS);
/** With more fields, nothing is checked. */
export const CHECK_BOUNDS = { fields: 32 } as const;
/** The interval where the hash has none, seconds. */
export const USUAL_INTERVAL = 5;
export const MAX_INTERVAL = MAX_SECONDS;

/** Fields that ask for an HTTP request. */
const OF_HTTP = ['path', 'status', 'body', 'method', 'host'];

/** Why a field is ignored; null when it counts. */
export function checkFieldFault(field: string, text: string): string | null {
  const said = readField(field, text);
  return typeof said === 'string' ? said : null;
}

/** Fields that have no effect next to the others; null without such. */
export function idleCheckFields(fields: SiteFields): IdleFields | null {
  const { kind } = checkRulesOf(fields);
  const idle = [...fields.keys()].filter((field) => {
    if (field === 'service') return kind !== 'grpc';
    if (kind === 'grpc') return ['path', 'status', 'body', 'method'].includes(field);
    return kind === 'tcp' && OF_HTTP.includes(field);
  });
  return idle.length === 0 ? null : { fields: idle, text: `${idle.join(', ')}: no effect on a check of type ${kind}` };
}

/** The rules of a hash. Fields that cannot be used are as good as missing ones. */
export function checkRulesOf(fields: SiteFields): CheckRules {
  const rules: CheckRules = {
    kind: OF_HTTP.some((field) => fields.has(field)) ? 'http' : 'tcp',
    method: 'GET',
    path: '/',
    host: null,
    port: null,
    service: '',
    statuses: NOT_FAILED,
    body: '',
    intervalMs: USUAL_INTERVAL * 1000,
    timeoutMs: 2_000,
    rise: 2,
    fall: 3,
    first: false,
  };
  for (const [field, text] of fields) {
    const said = readField(field, text);
    if (typeof said === 'object') Object.assign(rules, said);
  }
  // A check must have ended before the next one.
  return Object.freeze({ ...rules, timeoutMs: Math.min(rules.timeoutMs, rules.intervalMs) });
}

/** The host that a check asks for. Under a wildcard it is the name that all its hosts end with; under `*` the backend's own. */
export function hostOfChecks(key: string, { hostname, socketPath }: Backend): string {
  const { host } = splitKey(key);
  if (host === '*') return socketPath === null ? bracketed(hostname) : 'localhost';
  if (host.startsWith('*.')) return host.slice(2);
  return host.startsWith('[') ? host : bracketed(host);
}

function readField(field: string, text: string): Said | string {
  if (!Object.hasOwn(READERS, field)) return 'there is no such field of a check';
  // White space of the body counts: PlanB looks for it as it is.
  return READERS[field]?.(field === 'body' ? text : text.trim()) ?? {};
}

function wholeIn(text: string, from: number, to: number, said: (value: number) => Said): Said | string {
  const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? said(value) : `it is a whole number from ${from} to ${to}`;
}

function rangeOf(text: string): StatusRange | null {
  const [all, from = '', to = from] = /^([1-5](?:[0-9]{2}|xx))(?:-([1-5](?:[0-9]{2}|xx)))?$/i.exec(text) ?? [];
  if (all === undefined) return null;
  const range = [Number(from.replace(/xx/i, '00')), Number(to.replace(/xx/i, '99'))] as const;
  return range[0] <= range[1] ? range : null;
}
