// Handlers of `Request` and `Response` on Node's own HTTP server, and on Express and what is like it.

/** Answers a request. Workers, Deno, Bun and Next call it as it is, Hono with `c.req.raw`; `toNodeHandler` is for Node and Express. */
export type FetchHandler = (request: Request, context?: unknown) => Promise<Response>;

/** Answers a request of Node's HTTP server, or of Express, whose `next` is called for a path that is not the handler's. */
export type NodeHandler = (request: any, response: any, next?: (error?: unknown) => void) => Promise<void>;

/** Methods that no `Request` has, and so no handler: the Fetch standard forbids them. */
const UNKNOWN_TO_FETCH = /^(?:CONNECT|TRACE|TRACK)$/i;

const READ_ALREADY = "The request's body has been read already: this handler comes before what parses bodies.";

/** The answers to requests that a handler does not know. */
const unknown = new WeakSet<Response>();

/** An answer to a request that a handler does not know, which another handler may. */
export function notFound(): Response {
  const response = new Response("There is nothing here.", { status: 404 });
  unknown.add(response);
  return response;
}

/**
 * Makes a handler for `http.createServer` or `app.use`. The `Request` that it makes reads its body from Node's; `context`
 * is Node's request, so that what other middleware put there (such as `user`) can be read. It must come before what
 * parses bodies (`express.json()`): a body that has been read cannot be read again, which is an error for `next`.
 */
export function toNodeHandler(handler: FetchHandler): NodeHandler {
  return async (request, response, next) => {
    if (UNKNOWN_TO_FETCH.test(request.method)) {
      if (next) return next();
      response.statusCode = 405;
      return response.end();
    }
    try {
      const answer = await handler(fetchRequest(request), request);
      if (unknown.has(answer) && next) return next();
      for (const [name, value] of answer.headers) if (name !== "set-cookie") response.setHeader(name, value);
      const cookies = answer.headers.getSetCookie();
      if (cookies.length > 0) response.setHeader("set-cookie", cookies);
      response.statusCode = answer.status;
      response.end(new Uint8Array(await answer.arrayBuffer()));
    } catch (error) {
      if (next) return next(error);
      console.error(error);
      if (!response.headersSent) response.statusCode = 500;
      response.end();
    }
  };
}

function fetchRequest(request: any): Request {
  const headers = new Headers();
  const raw: string[] = request.rawHeaders;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] as string;
    // HTTP/2 puts method, path and host among them.
    if (!name.startsWith(":")) headers.append(name, raw[at + 1] as string);
  }
  const url = `http://localhost${pathOf(request.originalUrl ?? request.url)}`;
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const init = { method: request.method, headers, ...(hasBody && { body: stream(request), duplex: "half" }) };
  return new Request(url, init as RequestInit);
}

/**
 * The path and query of a request's target, which may be a whole URL, as proxies are sent, or `*`. Handlers look at
 * nothing else: what a client says of the host is not to be relied upon.
 */
function pathOf(target: string): string {
  if (target.startsWith("/")) return target;
  const url = URL.canParse(target) ? new URL(target) : undefined;
  return url?.pathname.startsWith("/") ? url.pathname + url.search : "/";
}

/** A body as it arrives, no faster than it is read. What is not wanted is read and dropped: the connection goes on. */
function stream(request: any): ReadableStream<Uint8Array> {
  let wanted = true;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      // There will be no event of it any more.
      if (request.readableEnded) return controller.error(new TypeError(READ_ALREADY));
      request.on("data", (chunk: Uint8Array) => {
        if (!wanted) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) request.pause();
      });
      request.on("end", () => wanted && controller.close());
      request.on("error", (error: unknown) => wanted && controller.error(error));
      request.pause();
    },
    pull() {
      request.resume();
    },
    cancel() {
      wanted = false;
      request.resume();
    },
  });
}
