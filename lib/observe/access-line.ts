/**
 * Writes lines of the access log. Hipache's format is nginx's `combined`, followed by the identifier and two durations.
 */

import type { ExchangeRecord } from '../core/record/exchange-record.ts';
import type { AccessField, AccessFormat } from '../core/record/access-format.ts';

/** nginx's status code for a client that left before the response. It is only logged. */
const CLIENT_CLOSED_REQUEST = 499;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TWO = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** Formats times for the log; makes one string per second. */
export class LogTime {
  #second = -1;
  #text = '';

  /** Formats a time as `21/Nov/2026:01:21:49 +0000`. @param now ms since 1970 */
  at(now: number): string {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      const d = new Date(now);
      const day = `${TWO(d.getUTCDate())}/${MONTHS[d.getUTCMonth()]}/${d.getUTCFullYear()}`;
      this.#text = `${day}:${TWO(d.getUTCHours())}:${TWO(d.getUTCMinutes())}:${TWO(d.getUTCSeconds())} +0000`;
    }
    return this.#text;
  }
}

/** Writes lines in one format. */
export class AccessLines {
  readonly #format: AccessFormat;
  readonly #now: () => number;
  readonly #time = new LogTime();

  /** @param now returns ms since 1970 */
  constructor(format: AccessFormat, now: () => number) {
    this.#format = format;
    this.#now = now;
  }

  /** The line of an exchange. @param version the HTTP version */
  of(record: ExchangeRecord, version: string): string {
    const format = this.#format;
    const now = this.#now();
    if (format === 'hipache') return accessLine(record, version, this.#time.at(now));
    if (format === 'json') return jsonLine(record, version, now);
    let line = '';
    for (const part of format) {
      line += 'text' in part ? part.text : fieldText(part.field, record, version, now, this.#time);
    }
    return `${line}\n`;
  }

  /** The line of bytes that were not a valid request: their first line takes the place of the request. */
  ofGarbage(clientIp: string, firstLine: string, status: number, bytes: number): string {
    return this.of({ ...NOTHING, clientIp, target: firstLine, status, bytes }, '');
  }
}

const NOTHING: ExchangeRecord = {
  clientIp: '',
  method: '',
  target: '',
  status: 0,
  bytes: 0,
  referer: undefined,
  userAgent: undefined,
  host: null,
  backend: null,
  name: null,
  totalMs: 0,
  backendMs: null,
};

function statusOf({ status }: ExchangeRecord): number {
  return status === 0 ? CLIENT_CLOSED_REQUEST : status;
}

/** Without a method, the target is the whole first line. */
function requestLine({ method, target }: ExchangeRecord, version: string): string {
  return method === '' ? escaped(target) : `${escaped(method)} ${escaped(target)} HTTP/${version}`;
}

function fieldText(field: AccessField, record: ExchangeRecord, version: string, now: number, time: LogTime): string {
  switch (field) {
    case 'client':
      return record.clientIp || '-';
    case 'time':
      return time.at(now);
    case 'isoTime':
      return new Date(now).toISOString();
    case 'request':
      return requestLine(record, version);
    case 'method':
      return escapedOr(record.method);
    case 'target':
      return escapedOr(record.target);
    case 'version':
      return version || '-';
    case 'status':
      return String(statusOf(record));
    case 'bytes':
      return String(record.bytes);
    case 'referer':
      return escapedOr(record.referer);
    case 'agent':
      return escapedOr(record.userAgent);
    case 'host':
      return escapedOr(record.host ?? undefined);
    case 'site':
      return escapedOr(record.name ?? undefined);
    case 'backend':
      return escapedOr(record.backend ?? undefined);
    case 'total':
      return seconds(record.totalMs);
    case 'backendTime':
      return record.backendMs === null ? '-' : seconds(record.backendMs);
  }
}

/** Missing values are null. */
function jsonLine(record: ExchangeRecord, version: string, now: number): string {
  const { clientIp, method, target, bytes, referer = null, userAgent = null, host, name, backend } = record;
  const text = JSON.stringify({
    time: new Date(now).toISOString(),
    client: clientIp || null,
    method: method || null,
    target,
    version: version || null,
    status: statusOf(record),
    bytes,
    referer,
    agent: userAgent,
    host,
    site: name,
    backend,
    total: Math.round(record.totalMs) / 1000,
    backendTime: record.backendMs === null ? null : Math.round(record.backendMs) / 1000,
  });
  return `${ASCII.test(text) ? text : text.replaceAll(/[^ -~]/g, escapedUnit)}\n`;
}

const ASCII = /^[ -~]*$/;

/** The line is written in one-byte characters, and JSON is UTF-8: `\u` escapes are valid in both. */
function escapedUnit(unit: string): string {
  return String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A line in Hipache's format. @param time as `LogTime` formats it */
function accessLine(record: ExchangeRecord, version: string, time: string): string {
  const { clientIp, bytes, name, totalMs, backendMs } = record;
  const ip = clientIp === '' ? '-' : clientIp.includes(':') ? clientIp : `::ffff:${clientIp}`;
  const agents = `"${escapedOr(record.referer)}" "${escapedOr(record.userAgent)}"`;
  const times = `${seconds(totalMs)} ${seconds(backendMs ?? 0)}`;
  return `${ip} - - [${time}] "${requestLine(record, version)}" ${statusOf(record)} ${bytes} ${agents} "${name === null ? '-' : escaped(name)}" ${times}\n`;
}

/** Three decimals. Number's own `toFixed` takes ten times as long. */
function seconds(ms: number): string {
  const whole = Math.round(ms);
  return `${Math.floor(whole / 1000)}.${THREE[whole % 1000] ?? '000'}`;
}

const THREE = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));
const PLAIN = /^[ !#-[\]-~]*$/;

function escapedOr(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : escaped(text);
}

/** Escapes as nginx does: quotes, backslashes and everything that is not printable ASCII become \xHH, byte by byte. */
function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  // Header values are latin1; operators' texts may be anything.
  // oxlint-disable-next-line no-control-regex -- the range is latin1
  const bytes = Buffer.from(text, /^[\0-\u00ff]*$/.test(text) ? 'latin1' : 'utf8');
  let result = '';
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    result += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
}
