// What is said about several runs of the same.

/**
 * The middle one of some numbers, or the mean of the two in the middle; `undefined` if there are none.
 * @param {number[]} numbers
 */
export function median(numbers) {
  if (numbers.length === 0) return undefined;
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Median, minimum and maximum; `undefined` if there are no numbers.
 * @param {number[]} numbers
 */
export function summary(numbers) {
  const middle = median(numbers);
  if (middle === undefined) return undefined;
  return { median: middle, min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * The median of the ratios of numbers to others that were measured beside them, run by run: a machine that was slow
 * during one run was slow for both. A run that lacks one of the two, or has 0 to divide by, does not count.
 * @param {(number | undefined)[]} numbers
 * @param {(number | undefined)[]} others
 */
export function ratio(numbers, others) {
  return median(numbers.map((number = NaN, run) => number / (others[run] ?? NaN)).filter(Number.isFinite));
}
