import { RouterError } from '../errors.ts';
import { type Framing, hasBody, requestFraming } from './framing.ts';
import { hostOf } from '../routing/hostname.ts';
import { trimmed } from './white-space.ts';

/** A request head as parsed from the wire, not validated. */
export interface RawHead {
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  /** `1.1`, `1.0` or another version in the request line. */
  readonly version: string;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
}

/** A validated request head: what is needed to route, frame and send it. */
export interface RequestHead {
  readonly method: string;
  readonly version: '1.0' | '1.1';
  /** In origin-form, or `*`; never decoded nor normalised. */
  readonly path: string;
  /** The requested host for the lookup, in lower case, without port. */
  readonly hostname: string;
  /** The value of the Host field to send on. */
  readonly authority: string;
  readonly framing: Framing;
  /** The client asks to switch to WebSocket (RFC 6455 §4.1). */
  readonly isWebSocket: boolean;
  /** The client waits for 100 before it sends its body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /** It carries an X-Debug field. */
  readonly isDebug: boolean;
}

/** The fields that decide routing and framing, gathered in one pass. */
interface Fields {
  readonly host: string[];
  readonly lengths: string[];
  readonly codings: string[];
  connection: string;
  upgrade: string;
  expect: string;
  isDebug: boolean;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * Parses a head strictly: an ambiguous head is rejected, even if Node's parser has accepted it.
 * @throws RouterError with the status that RFC 9112 asks for
 */
export function readHead(raw: RawHead): RequestHead {
  const { method, version } = raw;
  if (version !== '1.1' && version !== '1.0') {
    throw new RouterError(version === '0.9' ? 'bad-request' : 'version-unknown', `HTTP/${version} is not spoken here`);
  }
  const fields = gather(raw.rawHeaders);
  const framing = requestFraming(version, fields.lengths, fields.codings);
  const { path, authority } = readTarget(raw, fields.host);
  const hostname = hostOf(authority);
  if (hostname === null) throw new RouterError('bad-host', 'invalid Host header');
  const isExpecting = expects100(fields.expect);
  return {
    method,
    version,
    path,
    hostname,
    authority,
    framing,
    isWebSocket: isWebSocket(method, version, framing, fields),
    // RFC 9110 §10.1.1: in HTTP/1.0 the expectation is ignored; without a body there is nothing to wait for.
    expectsContinue: isExpecting && version === '1.1' && hasBody(framing),
    isDebug: fields.isDebug,
  };
}

function gather(rawHeaders: readonly string[]): Fields {
  const fields: Fields = {
    host: [],
    lengths: [],
    codings: [],
    connection: '',
    upgrade: '',
    expect: '',
    isDebug: false,
  };
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const value = rawHeaders[i + 1] ?? '';
    switch ((rawHeaders[i] ?? '').toLowerCase()) {
      case 'host':
        fields.host.push(value);
        break;
      case 'content-length':
        fields.lengths.push(value);
        break;
      case 'transfer-encoding':
        fields.codings.push(value);
        break;
      case 'connection':
        fields.connection += `,${value}`;
        break;
      case 'upgrade':
        fields.upgrade += `,${value}`;
        break;
      case 'expect':
        fields.expect += `,${value}`;
        break;
      case 'x-debug':
        fields.isDebug = true;
        break;
    }
  }
  return fields;
}

/** RFC 9112 §3.2: which form the target has, and which authority it is for. */
function readTarget(
  { method, target, version }: RawHead,
  hosts: readonly string[],
): { path: string; authority: string } {
  const [host = ''] = hosts;
  // RFC 9112 §3.2: HTTP/1.1 has a Host whatever its target is; HTTP/1.0 knows of none.
  const isNamed = host !== '' || (hosts.length === 0 && version === '1.0' && ABSOLUTE.test(target));
  if (!isNamed) throw new RouterError('no-host', 'no host header');
  if (hosts.length > 1) throw new RouterError('bad-host', 'more than one Host header');
  if (target.includes('#')) throw new RouterError('bad-request', 'a fragment in the request target');
  if (target.startsWith('/')) return { path: target, authority: host };
  if (target === '*') {
    if (method !== 'OPTIONS') throw new RouterError('bad-request', `${method} of *`);
    return { path: target, authority: host };
  }
  const match = ABSOLUTE.exec(target);
  if (!match) throw new RouterError('bad-request', 'invalid request target');
  // RFC 9112 §3.2.2: the target's authority counts, the Host header is replaced. It must be a host all the same.
  if (host !== '' && hostOf(host) === null) throw new RouterError('bad-host', 'invalid Host header');
  const [, authority = '', rest = ''] = match;
  return { path: originForm(method, rest), authority };
}

function originForm(method: string, rest: string): string {
  // RFC 9112 §3.2.4: `OPTIONS http://host` is about the server as a whole.
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Whether a client waits for 100 (RFC 9110 §10.1.1).
 * @param list every Expect value received; empty members say nothing (§5.6.1)
 * @throws RouterError when it expects anything else
 */
function expects100(list: string): boolean {
  if (list === '') return false;
  const members = list.split(',').map((member) => trimmed(member).toLowerCase());
  const expected = members.filter((member) => member !== '');
  if (expected.some((member) => member !== '100-continue')) {
    throw new RouterError('expectation-failed', 'an expectation other than 100-continue');
  }
  return expected.length > 0;
}

function isWebSocket(method: string, version: string, framing: Framing, fields: Fields): boolean {
  return (
    method === 'GET' &&
    version === '1.1' &&
    !hasBody(framing) &&
    hasToken(fields.upgrade, 'websocket') &&
    hasToken(fields.connection, 'upgrade')
  );
}

/** Whether a comma-separated list names a token, in any case. */
export function hasToken(list: string, token: string): boolean {
  return list
    .toLowerCase()
    .split(',')
    .some((item) => trimmed(item) === token);
}
