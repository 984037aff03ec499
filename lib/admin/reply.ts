/** What a request to the admin interface is answered with. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** A request as its answer needs it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Reads what came with it, as JSON. @throws Refusal when that is too long, or no JSON */
  readonly body: () => Promise<unknown>;
}

/** Why a request is not answered as it was meant: a status, and a code that a program can test. */
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

export function json(value: unknown, status = 200): Reply {
  return { status, headers: { 'Content-Type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, status = 200): Reply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

export function nothing(): Reply {
  return { status: 204, headers: {}, body: '' };
}

export function refused({ status, code, message, headers }: Refusal): Reply {
  const reply = json({ error: { code, message } }, status);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}
