/** The request target for the backend, where it differs from the client's. */
import { pathAt } from '../core/routing/backend.ts';
import type { Backend, Route } from '../core/routing/types.ts';
import type { WrittenHead } from './head-writer.ts';
import type { ReadRequest } from './request-grammar.ts';

/** @param isBelow prepend the path of the backend's URL */
export function pathFor({ site, prefix }: Route, backend: Backend, target: string, isBelow: boolean): string {
  const path = site.targetFor(target, prefix);
  return isBelow ? pathAt(backend, path) : path;
}

/** The same head with another target. */
export function withTarget(head: WrittenHead, { method, target }: ReadRequest, path: string): WrittenHead {
  return { ...head, text: `${method} ${path}${head.text.slice(method.length + 1 + target.length)}` };
}
