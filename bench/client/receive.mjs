// What a client is measured by, in Node and in a page alike: how long it takes over a flood of group messages.

/**
 * A client that is connected to `flood.mjs`. `once()` has it flooded and gives the microseconds that a message took, from
 * the first to the last.
 * @param {typeof import("@azure/web-pubsub-client-1.1").WebPubSubClient} Client
 * @param {string} url
 * @param {{ count: number, length: number }} flood
 */
export async function connect(Client, url, { count, length }) {
  const client = new Client(`${url}?count=${count}&length=${length}`);
  let begun = 0;
  let received = 0;
  let ended = (/** @type {number} */ _time) => {};
  client.on("server-message", () => (begun = performance.now()));
  client.on("group-message", ({ message }) => {
    if (/** @type {string} */ (message.data).length === length) received++;
    if (received === count) ended(performance.now());
  });
  const connected = new Promise((resolve) => client.on("connected", resolve));
  await client.start();
  await connected;
  return {
    async once() {
      received = 0;
      const end = new Promise((resolve) => (ended = resolve));
      await client.sendEvent("go", "", "text", { fireAndForget: true });
      return (((await end) - begun) / count) * 1000;
    },
    stop: () => client.stop(),
  };
}
