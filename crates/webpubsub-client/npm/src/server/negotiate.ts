// The endpoint that gives an application's clients their URLs.
import type { FetchHandler } from "./node.js";
import type { ServiceAddress } from "./service.js";
import { type ClientTokenOptions, tokenMaker } from "./token.js";

export type NegotiateOptions = ServiceAddress & {
  /** The hub that clients connect to. */
  hub: string;
  /**
   * Who asks, and what that client may do: your sign-in decides. `undefined` or `null` answers 401, a `Response` is the
   * answer, and `{}` lets in an anonymous client. `context` is what the handler was called with beside the request:
   * Express's own request, or what a framework passes.
   */
  client(
    request: Request,
    context: any,
  ): ClientTokenOptions | Response | null | undefined | Promise<ClientTokenOptions | Response | null | undefined>;
};

/**
 * Makes a handler that answers GET and POST with `{"url": …}`, a client access URL for whoever asks; or with the URL
 * alone, where the request accepts `text/plain` and not JSON. Answers are not to be cached.
 *
 * @throws TypeError for options that are wrong.
 */
export function negotiate(options: NegotiateOptions): FetchHandler {
  const makeToken = tokenMaker(options);
  if (typeof options.client !== "function") throw new TypeError("client must be a function that says who asks.");
  return async (request, context) => {
    if (request.method !== "GET" && request.method !== "POST")
      return new Response("Ask with GET or POST.", { status: 405, headers: { allow: "GET, POST" } });
    const client = await options.client(request, context);
    if (client instanceof Response) return client;
    if (client === undefined || client === null) return new Response("Sign in first.", { status: 401, headers: FRESH });
    const { url } = await makeToken(client);
    const accept = request.headers.get("accept") ?? "";
    if (accept.includes("text/plain") && !accept.includes("json")) return new Response(url, { headers: FRESH });
    return Response.json({ url }, { headers: FRESH });
  };
}

const FRESH = { "cache-control": "no-store" };
