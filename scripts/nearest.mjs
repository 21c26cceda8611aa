// What somebody meant who typed a name that there is not.

/** The name that differs from `text` in the fewest letters, unless it differs in more than a third of them. */
export function nearest(text, names) {
  const [best] = names
    .map((name) => ({ name, distance: distance(text.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(name.length, text.length) / 3)
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** How many letters have to be added, left out or changed to make one text of the other. */
function distance(one, other) {
  let above = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (const [column, its] of [...other].entries()) {
      current.push(Math.min(above[column + 1] + 1, current[column] + 1, above[column] + (letter === its ? 0 : 1)));
    }
    above = current;
  }
  return above.at(-1);
}
