/** V8 looks at what a piece of code reads when it has run a few times. */
const TIMES = 1_000;

/**
 * Makes the methods of strings as fast as they are in a process without ioredis. That declares a class that extends
 * String, upon which V8 keeps String's own methods as a dictionary and looks each call of one up anew: reading an
 * answer's head takes 2.6 times as long. V8 mends that when something is read through an object that inherits from
 * String; the strings of a program, which are no objects, never make it do so.
 */
export function mendStringMethods(): void {
  const inheritor = Object('') as { readonly length: number };
  for (let i = 0; i < TIMES; i++) lengthOf(inheritor);
}

function lengthOf({ length }: { readonly length: number }): number {
  return length;
}
