/** Finds the word that was probably meant, for typing errors. */

/** The known word nearest to a misspelled one, or null when none is near. Ignores case. */
export function nearest(word: string, known: readonly string[]): string | null {
  // One error in a short word, up to a third of a long one: beyond that a guess misleads.
  let best = Math.max(1, Math.floor(word.length / 3)) + 1;
  let found = known.find((candidate) => isStump(word, candidate)) ?? null;
  for (const candidate of known) {
    const slips = distance(word.toLowerCase(), candidate.toLowerCase());
    if (slips >= best) continue;
    best = slips;
    found = candidate;
  }
  return found;
}

/** Whether one word starts with the whole other: `limit` of `limitMB`, or `connectTimeout` of `connect`. */
function isStump(word: string, candidate: string): boolean {
  const [short, long] = [word.toLowerCase(), candidate.toLowerCase()].toSorted((a, b) => a.length - b.length);
  return short !== undefined && short.length > 2 && long?.startsWith(short) === true;
}

/** The number of letters to insert, remove, replace, or swap with their neighbour (Damerau-Levenshtein). */
function distance(left: string, right: string): number {
  let twoAgo: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let least = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped = row > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) least = Math.min(least, at(twoAgo, column - 2) + 1);
      current.push(least);
    }
    twoAgo = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
