import { type Asked, Refusal, type Reply } from './reply.ts';

/** Responds to one kind of request. `host`: the decoded part of the path in place of HOST. */
export type Answerer = (asked: Asked, host: string) => Promise<Reply> | Reply;

/** Handlers by method and path, for example `GET /api/v1/frontends/HOST`. */
export type Requests = Readonly<Record<string, Answerer>>;

interface Kind {
  readonly method: string;
  readonly pattern: RegExp;
  readonly answer: Answerer;
}

/** Finds the handler of a request. @returns a function that throws a Refusal where there is none */
export function dispatcher(requests: Requests): (asked: Asked) => Promise<Reply> {
  const kinds = Object.entries(requests).map(([name, answer]): Kind => {
    const [method = '', path = ''] = name.split(' ');
    return { method, pattern: new RegExp(`^${path.replace('HOST', '([^/]+)')}$`), answer };
  });
  return async (asked) => {
    const here = kinds.filter(({ pattern }) => pattern.test(asked.path));
    if (here.length === 0) throw new Refusal(404, 'not-found', `there is no ${asked.path}`);
    const kind = here.find(({ method }) => method === asked.method);
    if (kind === undefined) {
      const allow = here.map(({ method }) => method).join(', ');
      throw new Refusal(405, 'method', `${asked.path} takes ${allow}`, { Allow: allow });
    }
    return await kind.answer(asked, decoded(kind.pattern.exec(asked.path)?.[1] ?? ''));
  };
}

function decoded(host: string): string {
  try {
    return decodeURIComponent(host);
  } catch {
    throw new Refusal(400, 'bad-target', 'the path has an invalid percent-encoding');
  }
}
