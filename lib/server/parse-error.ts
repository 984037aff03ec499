/** Which error response a client gets when Node's HTTP parser rejects its bytes. */
import { RouterError } from '../core/errors.ts';

/** An error of Node's `clientError` event. */
export interface ParseError extends Error {
  readonly code?: string;
  /** The bytes of the last read: the invalid ones, and valid requests before them. */
  readonly rawPacket?: Buffer;
  /** How many of them were valid. */
  readonly bytesParsed?: number;
}

const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~\x80-\xff]+ HTTP\/1\.[01]$/;

/**
 * The error to respond with; null when the client is gone.
 * @param isFirstPacket whether `rawPacket` is all that was received on the connection
 * @param headerBytes the limit of a header section with its request line
 */
export function refusalFor(error: ParseError, isFirstPacket: boolean, headerBytes: number): RouterError | null {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ETIMEDOUT':
    // The client ended its side within a message.
    case 'HPE_INVALID_EOF_STATE':
      return null;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RouterError('request-timeout', 'the request head was not received in time', { cause: error });
    case 'HPE_HEADER_OVERFLOW':
      // RFC 9110 §15.5.15: a target that alone exceeds the limit gets 414.
      return isFirstPacket && lineLength(error.rawPacket) >= headerBytes
        ? new RouterError('uri-too-long', 'the request target is too long', { cause: error })
        : new RouterError('head-too-large', 'the header section is too large', { cause: error });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RouterError('body-too-large', 'the chunk extensions are too large', { cause: error });
    case 'HPE_INVALID_METHOD':
      // Any token is a method (RFC 9110 §9.1); Node's parser accepts those in its list.
      return REQUEST_LINE.test(lineOf(error))
        ? new RouterError('method-unknown', 'a method that Node does not support', { cause: error })
        : new RouterError('bad-request', error.message, { cause: error });
    case 'HPE_INVALID_VERSION':
      return /^[A-Z]+ [^ ]+ HTTP\/[0-9]\.[0-9]\r\n/.test(error.rawPacket?.toString('latin1') ?? '')
        ? new RouterError('version-unknown', 'an unsupported HTTP version', { cause: error })
        : new RouterError('bad-request', error.message, { cause: error });
    default:
      return new RouterError('bad-request', error.message, { cause: error });
  }
}

function lineLength(packet: Buffer | undefined): number {
  const end = packet?.indexOf('\r\n') ?? 0;
  return end < 0 ? Infinity : end;
}

/**
 * The first line of the rejected bytes, for the access log. It is a guess: do not rely on it.
 * @param isHttp2 the request came in an HTTP/2 stream and was rewritten to HTTP/1.1
 */
export function firstLine(error: ParseError, isHttp2 = false): string {
  const line = lineOf(error);
  return (isHttp2 ? line.replace(/ HTTP\/1\.1$/, ' HTTP/2.0') : line).slice(0, 1024);
}

function lineOf({ rawPacket, bytesParsed = 0 }: ParseError): string {
  const text = rawPacket?.toString('latin1') ?? '';
  const endOfGood = text.lastIndexOf('\r\n\r\n', bytesParsed - 4);
  const [line = ''] = text.slice(endOfGood < 0 ? 0 : endOfGood + 4).split('\r\n', 1);
  return line;
}
