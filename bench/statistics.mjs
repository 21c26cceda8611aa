// What is said about several runs of the same.

/** The middle one of some numbers, or the mean of the two in the middle; `undefined` if there are none. */
export function median(numbers) {
  if (numbers.length === 0) return undefined;
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, minimum and maximum; `undefined` if there are no numbers. */
export function summary(numbers) {
  if (numbers.length === 0) return undefined;
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * The median of the ratios of numbers to others that were measured beside them, by their runs: a machine that was slow
 * during one run was slow for both. A run that has only one of the two, or 0 to divide by, does not count.
 */
export function ratio(numbers, others) {
  const pairs = numbers.map((number, run) => number / others[run]);
  return median(pairs.filter((pair) => Number.isFinite(pair)));
}
