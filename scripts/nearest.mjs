// What somebody meant who typed a name that there is not.

/**
 * The name that differs from `text` in the fewest letters, unless it differs in more than a third of them.
 * @param {string} text
 * @param {string[]} names
 */
export function nearest(text, names) {
  const [best] = names
    .map((name) => ({ name, distance: distance(text.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(name.length, text.length) / 3)
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/**
 * How many letters have to be added, left out, changed or swapped with the next to make one text of the other.
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  const rows = [Array.from({ length: other.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          rows[i - 1][j] + 1,
          row[j - 1] + 1,
          rows[i - 1][j - 1] + (same ? 0 : 1),
          swapped ? rows[i - 2][j - 2] + 1 : Infinity,
        ),
      );
    }
    rows.push(row);
  }
  return rows[one.length][other.length];
}
