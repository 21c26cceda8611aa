// Bun's server: a topic for each path passes on what it is sent.
/**
 * What of Bun is used here.
 * @typedef {{ data: string, subscribe(topic: string): void }} Socket
 * @typedef {{
 *   publish(topic: string, message: string | Buffer): void,
 *   upgrade(request: Request, options: { data: string }): boolean,
 * }} BunServer
 */

const { Bun } = /** @type {{ Bun: { serve(options: object): BunServer } }} */ (/** @type {unknown} */ (globalThis));

/**
 * The path of a URL, which is found in less time than Bun takes to parse one.
 * @param {string} url
 */
const path = (url) => url.slice(url.indexOf("/", "http://".length));

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  async fetch(/** @type {Request} */ request) {
    const topic = path(request.url);
    if (request.method === "POST") server.publish(topic, await request.text());
    else if (server.upgrade(request, { data: topic })) return undefined;
    return new Response(null, { status: 202 });
  },
  websocket: {
    perMessageDeflate: false,
    open: (/** @type {Socket} */ socket) => socket.subscribe(socket.data),
    message: (/** @type {Socket} */ socket, /** @type {string | Buffer} */ message) =>
      void server.publish(socket.data, message),
  },
});
