import { identityIn, NO_IDENTITY } from '../core/http/trait.ts';
import type { RequestTraits } from '../core/routing/choice.ts';
import type { Route } from '../core/routing/types.ts';
import { lineValue } from '../http1/field-lines.ts';
import type { ReadRequest } from './request-grammar.ts';
import { hasBody } from './request-size.ts';

/** What rules see of a request. */
export function traitsOf(request: ReadRequest, { site: { balance } }: Route, clientIp: string): RequestTraits {
  const { method, target: path, text } = request;
  const { affinity, cookies } =
    balance === null ? NO_IDENTITY : identityIn(balance, (name, separator) => lineValue(text, name, separator));
  return { method, path, clientIp, hasBody: hasBody(request), affinity, cookies };
}
