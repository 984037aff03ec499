/** What Redis has done, by its INFO. Pure. */

/** Calls of each command since the start, by name in lower case. */
export type Calls = ReadonlyMap<string, number>;

/** Reads `INFO commandstats`. */
export function parseCalls(info: string): Calls {
  const lines = info.matchAll(/^cmdstat_([^:]+):calls=([0-9]+)/gm);
  return new Map([...lines].map(([, name = '', calls]) => [name, Number(calls)]));
}

/** What was called between two readings, without INFO itself. */
export function callsBetween(before: Calls, after: Calls): Calls {
  const calls = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return new Map(calls.filter(([name, count]) => count > 0 && name !== 'info'));
}

/** How many commands ran, those inside scripts too, and how many of them were scripts. */
export function totals(calls: Calls): { readonly commands: number; readonly scripts: number } {
  const sum = (wanted: (name: string) => boolean): number =>
    [...calls].reduce((total, [name, count]) => (wanted(name) ? total + count : total), 0);
  // A script is what brings commands, not one more of them.
  return { commands: sum((name) => !isScript(name)), scripts: sum(isScript) };
}

function isScript(name: string): boolean {
  return name === 'eval' || name === 'evalsha';
}
