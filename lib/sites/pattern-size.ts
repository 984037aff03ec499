/** Estimates the size of a pattern's program before it is compiled. Pure functions. */

/** One element of a pattern, whatever its length. */
const ATOM = /\\(?:[pPx]\{[^}]*\}|Q.*?(?:\\E|$)|.)|\[\^?\]?(?:\[:[^\]]*:\]|\\.|[^\]\\])*\]|[^]/sy;
const REPEAT = /\{([0-9]{1,9})(?:,([0-9]{0,9}))?\}\??/y;

/**
 * The approximate number of instructions of a compiled pattern in RE2's syntax: its elements, times their repetitions.
 * For refusing patterns that are far too large; the compiled program has the exact number.
 */
export function patternSize(source: string): number {
  /** The sizes of the open groups, the innermost last. */
  const groups = [0];
  let last = 0;
  let at = 0;
  const add = (size: number): void => {
    groups[groups.length - 1] = (groups.at(-1) ?? 0) + size;
  };
  while (at < source.length) {
    REPEAT.lastIndex = at;
    const repeat = REPEAT.exec(source);
    if (repeat !== null) {
      const [text, least = '0', most = ''] = repeat;
      const times = Math.max(1, Number(least), Number(most));
      // Each optional repetition needs a jump.
      const size = last * times + Math.max(0, times - Number(least));
      add(size - last);
      last = size;
      at += text.length;
      continue;
    }
    ATOM.lastIndex = at;
    const text = ATOM.exec(source)?.[0] ?? source.charAt(at);
    at += text.length;
    if (text === '(') {
      groups.push(0);
    } else if (text === ')' && groups.length > 1) {
      last = (groups.pop() ?? 0) + 1;
      add(last);
    } else {
      last = 1;
      add(1);
    }
  }
  return groups.reduce((sum, size) => sum + size, 0);
}
