import { redirectByEntry } from '../../core/routing/redirect.ts';
import type { Backend, Outcome } from '../../core/routing/types.ts';
import { visitOf } from '../admission.ts';
import type { Exchange } from '../exchange.ts';
import { sendFile, type FilesParts } from './files.ts';
import { sendRedirect } from '../redirect.ts';

/** Responds for a backend entry that is not a server: `redirect:` or `file:`. Never rejects. */
export async function respondHere(exchange: Exchange, backend: Backend, parts: FilesParts): Promise<Outcome> {
  const { head, route } = exchange;
  if (backend.protocol === 'file:') return await sendFile(exchange, backend, parts);
  if (head === null || route === null || backend.redirect === null) {
    return { type: 'unfit', cause: new Error('the router cannot serve this kind of entry') };
  }
  const visit = visitOf(exchange, head);
  const redirect = redirectByEntry(backend.redirect, route.prefix, visit, route.site.redirectStatus);
  sendRedirect(exchange, redirect, parts);
  return { type: 'answered', status: redirect.status, retryAfter: false };
}
