import type { IncomingHttpHeaders } from 'node:http';

/** A response of the admin interface. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** A request to the admin interface. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Reads the body as JSON. @throws Refusal when it is too large, or not JSON */
  readonly body: () => Promise<unknown>;
}

/** An error response: a status, and a code for programs. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** A JSON response. */
export function json(value: unknown, status = 200): Reply {
  return { status, headers: { 'Content-Type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

/** The response with an entity tag, if there is one. */
export function tagged(reply: Reply, etag: string | null): Reply {
  return etag === null ? reply : { ...reply, headers: { ...reply.headers, ETag: etag } };
}

/** A plain text response. */
export function text(body: string, status = 200): Reply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

/** A response without content (204). */
export function nothing(): Reply {
  return { status: 204, headers: {}, body: '' };
}

/** The response to a refused request. */
export function refused({ status, code, message, headers }: Refusal): Reply {
  const reply = json({ error: { code, message } }, status);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}
