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
 * The median of the ratios of numbers to others that were measured beside them, run by run: a machine that was slow
 * during one run was slow for both. A run that lacks one of the two, or has 0 to divide by, does not count.
 */
export function ratio(numbers, others) {
  return median(numbers.map((number, run) => number / others[run]).filter(Number.isFinite));
}
