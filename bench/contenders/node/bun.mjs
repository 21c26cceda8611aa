// Bun's server: a topic for each path passes on what it is sent.
/** @type {any} */
const { Bun } = globalThis;

/** The path of a URL, which is found in less time than Bun takes to parse one. */
const path = (url) => url.slice(url.indexOf("/", "http://".length));

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  async fetch(request) {
    const topic = path(request.url);
    if (request.method === "POST") server.publish(topic, await request.text());
    else if (server.upgrade(request, { data: topic })) return undefined;
    return new Response(null, { status: 202 });
  },
  websocket: {
    perMessageDeflate: false,
    open: (socket) => socket.subscribe(socket.data),
    message: (socket, message) => void server.publish(socket.data, message),
  },
});
