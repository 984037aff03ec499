/** The server name in a ClientHello. */
export type ServerNaming =
  /** More bytes are needed. */
  | 'incomplete'
  | 'named'
  /** It contains no name, or cannot be parsed: TLS itself handles that. */
  | 'nameless';

const RECORD_HEAD = 5;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const MESSAGE_HEAD = 4;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** Maximum size of a message: keys of all current kinds together have about 4 KiB. */
const MAX_MESSAGE = 16_384;
/** Maximum number of records: the message is parsed again with each part that comes. */
const MAX_RECORDS = 64;

/**
 * Whether a client names the server that it wants (RFC 6066 §3), from the first bytes of its connection.
 * @param bytes records of TLS (RFC 8446 §5.1), all that have come; a message may go over several of them
 */
export function serverNaming(bytes: Uint8Array): ServerNaming {
  const message = firstMessage(bytes);
  if (typeof message === 'string') return message;
  try {
    return namesServer(new Reader(message)) ? 'named' : 'nameless';
  } catch (error) {
    if (error instanceof RangeError) return 'nameless';
    throw error;
  }
}

/** The body of a ClientHello; else what is to be said of it. */
function firstMessage(bytes: Uint8Array): Uint8Array | 'incomplete' | 'nameless' {
  const parts: Uint8Array[] = [];
  let length = 0;
  let wanted = MESSAGE_HEAD;
  for (let at = 0; ;) {
    if (at < bytes.length && bytes[at] !== HANDSHAKE_RECORD) return 'nameless';
    if (at + RECORD_HEAD > bytes.length) return 'incomplete';
    const end = at + RECORD_HEAD + new Reader(bytes.subarray(at + 3)).number(2);
    const part = bytes.subarray(at + RECORD_HEAD, end);
    // RFC 8446 §5.1: there are no empty records of this type.
    if (end === at + RECORD_HEAD || parts.length === MAX_RECORDS) return 'nameless';
    parts.push(part);
    length += part.length;
    if (length >= MESSAGE_HEAD && wanted === MESSAGE_HEAD) {
      const head = new Reader(joined(parts, length));
      const type = head.number(1);
      wanted = MESSAGE_HEAD + head.number(3);
      if (type !== CLIENT_HELLO || wanted > MAX_MESSAGE) return 'nameless';
    }
    if (length >= wanted && wanted > MESSAGE_HEAD) {
      return joined(parts, length).subarray(MESSAGE_HEAD, wanted);
    }
    if (end > bytes.length) return 'incomplete';
    at = end;
  }
}

/** @throws RangeError where it ends too soon */
function namesServer(hello: Reader): boolean {
  // Version and random bytes; then a session's id, cipher suites, compression methods (RFC 8446 §4.1.2).
  hello.take(2 + 32);
  hello.take(hello.number(1));
  hello.take(hello.number(2));
  hello.take(hello.number(1));
  if (hello.isAtEnd) return false;
  const extensions = new Reader(hello.take(hello.number(2)));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = new Reader(extensions.take(extensions.number(2)));
    if (type !== SERVER_NAME) continue;
    const names = new Reader(data.take(data.number(2)));
    return names.number(1) === HOST_NAME && names.number(2) > 0;
  }
  return false;
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Reads bytes in order. @throws RangeError past the end */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A number of so many bytes. */
  number(bytes: number): number {
    let value = 0;
    for (const byte of this.take(bytes)) value = value * 256 + byte;
    return value;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('it ends too soon');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
