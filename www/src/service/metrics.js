// Metrics, read from Prometheus' text format.

/**
 * @typedef {{ name: string, labels: Record<string, string>, value: number }} Sample
 * @typedef {{ name: string, kind: string, help: string, samples: Sample[] }} Metric
 */

/**
 * Reads what `/management/metrics` answers.
 *
 * @param {string} text
 * @returns {Metric[]}
 */
export function parseMetrics(text) {
  const metrics = new Map();
  const metric = (name) => {
    if (!metrics.has(name)) metrics.set(name, { name, kind: "untyped", help: "", samples: [] });
    return metrics.get(name);
  };
  for (const line of text.split("\n")) {
    const [, about, named, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (about) metric(named)[about === "HELP" ? "help" : "kind"] = rest;
    const [, name, labels = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name) metric(name).samples.push({ name, labels: labelsOf(labels), value: Number(value) });
  }
  return [...metrics.values()];
}

/**
 * What a metric comes to over all shards that `matches` lets through.
 *
 * @param {Metric | undefined} metric
 * @param {(sample: Sample) => boolean} matches
 */
export const sum = (metric, matches = () => true) =>
  (metric?.samples ?? []).reduce((total, sample) => total + (matches(sample) ? sample.value : 0), 0);

function labelsOf(text) {
  const pairs = text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries([...pairs].map(([, name, value]) => [name, value.replace(/\\(.)/g, "$1")]));
}
