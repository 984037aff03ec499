/** One line of the access log, in Hipache's format: nginx's `combined`, then the identifier and two durations. */

/** What a line says. Times in ms. */
export interface AccessRecord {
  readonly clientIp: string;
  readonly method: string;
  readonly target: string;
  /** 0 when the client left before there was an answer. */
  readonly status: number;
  /** Of the answer's body, as nginx's $body_bytes_sent. */
  readonly bytes: number;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** The frontend's identifier; null when none was found. */
  readonly name: string | null;
  readonly totalMs: number;
  /** Null when no backend was tried. */
  readonly backendMs: number | null;
}

/** A client that left before it was answered: nginx's code for it, which no client ever sees. */
const CLIENT_CLOSED_REQUEST = 499;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TWO = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** Formats times for the log, one string a second. */
export class LogTime {
  #second = -1;
  #text = '';

  /** `21/Nov/2026:01:21:49 +0000`. @param now epoch ms */
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

/** @param version of HTTP. @param time as `LogTime` gives it */
export function accessLine(record: AccessRecord, version: string, time: string): string {
  const { clientIp, method, target, bytes, name, totalMs, backendMs } = record;
  const status = record.status === 0 ? CLIENT_CLOSED_REQUEST : record.status;
  const ip = clientIp === '' ? '-' : clientIp.includes(':') ? clientIp : `::ffff:${clientIp}`;
  const request = `${escaped(method)} ${escaped(target)} HTTP/${version}`;
  const agents = `"${escapedOr(record.referer)}" "${escapedOr(record.userAgent)}"`;
  const times = `${seconds(totalMs)} ${seconds(backendMs ?? 0)}`;
  return `${ip} - - [${time}] "${request}" ${status} ${bytes} ${agents} "${name === null ? '-' : escaped(name)}" ${times}\n`;
}

/** The line for bytes that were no request: their first line, such as it was, in the place of the request. */
export function garbageLine(clientIp: string, firstLine: string, status: number, bytes: number, time: string): string {
  const ip = clientIp.includes(':') ? clientIp : `::ffff:${clientIp}`;
  return `${ip} - - [${time}] "${escaped(firstLine)}" ${status} ${bytes} "-" "-" "-" 0.000 0.000\n`;
}

/** Three digits after the point. Number's own `toFixed` takes ten times as long. */
function seconds(ms: number): string {
  const whole = Math.round(ms);
  return `${Math.floor(whole / 1000)}.${THREE[whole % 1000] ?? '000'}`;
}

const THREE = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));
const PLAIN = /^[ !#-[\]-~]*$/;

function escapedOr(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : escaped(text);
}

/** As nginx does: quotes, backslashes and all that is not printable ASCII become \xHH, byte by byte. */
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
