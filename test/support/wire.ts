/** A strict reading of HTTP/1.1 bytes, independent of the router and of Node: what a careful backend would make of them. */

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** In order, as received. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Decoded. */
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
}

/** The bytes end within a message that is well so far. */
export class Incomplete extends Error {}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\x80-\xff]+) HTTP\/(1\.[01])$/;
// oxlint-disable-next-line no-control-regex -- the tab is allowed in values
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\u0080-\u00ff]*?)[ \t]*$/;

/** All requests in `bytes` (latin1). @throws Error when anything could be read in two ways, or `Incomplete` */
export function readRequests(bytes: string): WireRequest[] {
  const requests: WireRequest[] = [];
  let rest = bytes;
  while (rest !== '') {
    const [request, after] = readRequest(rest);
    requests.push(request);
    rest = after;
  }
  return requests;
}

/** The values of a field, by its name in any case. */
export function valuesOf(request: Pick<WireRequest, 'fields'>, name: string): string[] {
  return request.fields.filter(([field]) => field.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

function readRequest(bytes: string): [WireRequest, string] {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Incomplete(`no end of the header section in ${JSON.stringify(bytes)}`);
  const [requestLine = '', ...lines] = bytes.slice(0, end).split('\r\n');
  const match = REQUEST_LINE.exec(requestLine);
  if (!match) throw new Error(`request line ${JSON.stringify(requestLine)}`);
  const [, method = '', target = '', version = ''] = match;
  const fields = lines.map(readField);
  const rest = bytes.slice(end + 4);
  const head = { method, target, version, fields };
  if (valuesOf(head, 'host').length !== 1) throw new Error('not exactly one Host');
  const lengths = valuesOf(head, 'content-length');
  const codings = valuesOf(head, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Error('framed more than once');
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked') throw new Error(`Transfer-Encoding ${codings[0]}`);
    const { body, trailers, after } = readChunked(rest);
    return [{ ...head, body, trailers }, after];
  }
  const length = Number(lengths[0] ?? 0);
  if (lengths.length === 1 && !/^[0-9]+$/.test(lengths[0] ?? '')) throw new Error(`Content-Length ${lengths[0]}`);
  if (rest.length < length) throw new Incomplete(`a body of ${rest.length} bytes, not ${length}`);
  return [{ ...head, body: rest.slice(0, length), trailers: [] }, rest.slice(length)];
}

function readField(line: string): [string, string] {
  const match = FIELD.exec(line);
  if (!match) throw new Error(`field line ${JSON.stringify(line)}`);
  return [match[1] ?? '', match[2] ?? ''];
}

function readChunked(bytes: string): { body: string; trailers: [string, string][]; after: string } {
  let rest = bytes;
  let body = '';
  for (;;) {
    const match = /^([0-9A-Fa-f]{1,8})\r\n/.exec(rest);
    if (/^[0-9A-Fa-f]{0,8}\r?$/.test(rest)) throw new Incomplete('no end of the chunk size');
    if (!match) throw new Error(`chunk size in ${JSON.stringify(rest.slice(0, 40))}`);
    const size = Number.parseInt(match[1] ?? '', 16);
    rest = rest.slice(match[0].length);
    if (size === 0) break;
    if (rest.length < size + 2) throw new Incomplete('no end of the chunk');
    body += rest.slice(0, size);
    if (rest.slice(size, size + 2) !== '\r\n') throw new Error('no CRLF after a chunk');
    rest = rest.slice(size + 2);
  }
  const trailers: [string, string][] = [];
  for (;;) {
    const end = rest.indexOf('\r\n');
    if (end < 0) throw new Incomplete('no end of the trailer section');
    const line = rest.slice(0, end);
    rest = rest.slice(end + 2);
    if (line === '') return { body, trailers, after: rest };
    trailers.push(readField(line));
  }
}

export interface WireAnswer {
  readonly status: number;
  readonly reason: string;
  /** In order, as received. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Decoded. */
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
}

const STATUS_LINE = /^HTTP\/1\.1 ([0-9]{3}) ([\t -~\u0080-\u00ff]*)$/;

/**
 * All answers in `bytes` (latin1), interim ones included.
 * @param methods of the requests that they answer, in order
 * @throws Error when anything could be read in two ways, or `Incomplete`
 */
export function readAnswers(bytes: string, methods: readonly string[]): WireAnswer[] {
  const answers: WireAnswer[] = [];
  let rest = bytes;
  let finals = 0;
  while (rest !== '') {
    const [answer, after] = readAnswer(rest, methods[finals] ?? 'GET');
    answers.push(answer);
    if (answer.status >= 200) finals++;
    rest = after;
  }
  return answers;
}

function readAnswer(bytes: string, method: string): [WireAnswer, string] {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Incomplete(`no end of the header section in ${JSON.stringify(bytes)}`);
  const [statusLine = '', ...lines] = bytes.slice(0, end).split('\r\n');
  const match = STATUS_LINE.exec(statusLine);
  if (!match) throw new Error(`status line ${JSON.stringify(statusLine)}`);
  const status = Number(match[1]);
  const head = { status, reason: match[2] ?? '', fields: lines.map(readField) };
  const rest = bytes.slice(end + 4);
  const lengths = valuesOf(head, 'content-length');
  const codings = valuesOf(head, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Error('framed more than once');
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    return [{ ...head, body: '', trailers: [] }, rest];
  }
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked') throw new Error(`Transfer-Encoding ${codings[0]}`);
    const { body, trailers, after } = readChunked(rest);
    return [{ ...head, body, trailers }, after];
  }
  if (lengths.length === 0) return [{ ...head, body: rest, trailers: [] }, ''];
  const length = Number(lengths[0]);
  if (rest.length < length) throw new Incomplete(`a body of ${rest.length} bytes, not ${length}`);
  return [{ ...head, body: rest.slice(0, length), trailers: [] }, rest.slice(length)];
}
