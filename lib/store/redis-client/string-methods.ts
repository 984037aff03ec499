/** V8 optimizes property accesses after the code has run a few times. */
const TIMES = 1_000;

/**
 * Makes string methods as fast as in a process without ioredis. ioredis declares a class that extends String, upon
 * which V8 turns String.prototype into a dictionary and looks up each method at every call: reading a response head
 * takes 2.6 times as long. V8 reverts this when a property is read through an object that inherits from String;
 * primitive strings never trigger that.
 */
export function mendStringMethods(): void {
  const inheritor = Object('') as { readonly length: number };
  for (let i = 0; i < TIMES; i++) lengthOf(inheritor);
}

function lengthOf({ length }: { readonly length: number }): number {
  return length;
}
