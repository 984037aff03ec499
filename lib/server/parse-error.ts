/** What to say to a client whose bytes Node's parser did not take for HTTP. */
import { RouterError } from '../core/errors.ts';

/** An error of Node's `clientError` event. */
export interface ParseError extends Error {
  readonly code?: string;
  /** The bytes being parsed: what was read at once, good requests before the fault included. */
  readonly rawPacket?: Buffer;
  /** How many of them passed. */
  readonly bytesParsed?: number;
}

const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~\x80-\xff]+ HTTP\/1\.[01]$/;

/**
 * The refusal that a parse error deserves, or null when there is nobody to talk to any more.
 * @param isFirstPacket whether `rawPacket` is all that ever came on the connection
 * @param headerBytes how large a header section may be, request line included
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
      return new RouterError('request-timeout', 'the request head did not come in time', { cause: error });
    case 'HPE_HEADER_OVERFLOW':
      // RFC 9110 §15.5.15: a target that alone is too long gets its own code.
      return isFirstPacket && lineLength(error.rawPacket) >= headerBytes
        ? new RouterError('uri-too-long', 'the request target is too long', { cause: error })
        : new RouterError('head-too-large', 'the header section is too large', { cause: error });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RouterError('body-too-large', 'the chunk extensions are too large', { cause: error });
    case 'HPE_INVALID_METHOD':
      // Any token is a method (RFC 9110 §9.1); Node's parser takes those of its list.
      return REQUEST_LINE.test(lineOf(error))
        ? new RouterError('method-unknown', 'a method that Node does not know', { cause: error })
        : new RouterError('bad-request', error.message, { cause: error });
    case 'HPE_INVALID_VERSION':
      return /^[A-Z]+ [^ ]+ HTTP\/[0-9]\.[0-9]\r\n/.test(error.rawPacket?.toString('latin1') ?? '')
        ? new RouterError('version-unknown', 'an HTTP version that is not spoken here', { cause: error })
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
 * The first line of what could not be parsed, for the access log: a guess, and not to be believed.
 * @param isHttp2 it is a stream's request, which was written in HTTP/1.1
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
