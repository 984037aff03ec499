/** A promise and what settles it (Promise.withResolvers is not in Node 20). */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

export function deferred<T>(): Deferred<T> {
  const slot: { resolve?: (value: T) => void } = {};
  const promise = new Promise<T>((settle) => {
    slot.resolve = settle;
  });
  return { promise, resolve: (value) => slot.resolve?.(value) };
}
