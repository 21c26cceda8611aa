// The last hour of metrics, minute by minute, as the service has it.

const MINUTE_MS = 60_000;

/**
 * What the service answered at its `time`, asked for at that time by the clock of the page.
 *
 * @typedef {{ minutes: number, metrics: Record<string, number[]> }} Minutes
 * @typedef {{ time: number, asked: number, hubs: { hub: string, total: Minutes, shards: (Minutes | null)[] }[] }} MetricHistory
 * @typedef {{ hub: string, shard: string }} Labels
 */

/**
 * What a metric came to in each minute that is over, over all shards that `matches` lets through, with the end of each
 * by the clock of the page. A minute that no shard remembers is left out.
 *
 * @param {MetricHistory} history
 * @param {string} name
 * @param {(sample: { labels: Labels }) => boolean} matches
 * @returns {[time: number, value: number][]}
 */
export function minutesOf({ time, asked, hubs }, name, matches = () => true) {
  const shards = hubs.flatMap(({ hub, shards }) =>
    shards.flatMap((shard, number) => (shard && matches({ labels: { hub, shard: String(number) } }) ? [shard] : [])),
  );
  const longest = Math.max(0, ...shards.map(({ minutes }) => minutes));
  const last = lastEnd({ time, asked });
  return Array.from({ length: Math.max(0, longest - 1) }, (_, index) => {
    // The newest is last in each, and not over.
    const ago = longest - 1 - index;
    const values = shards.map(({ minutes, metrics }) => metrics[name]?.[minutes - 1 - ago] ?? 0);
    return [last - (ago - 1) * MINUTE_MS, values.reduce((sum, value) => sum + value, 0)];
  });
}

/** When the last minute that is over ended, by the clock of the page. */
export const lastEnd = ({ time, asked }) => asked - (time % MINUTE_MS);
