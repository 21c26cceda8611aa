// The files of the page, with the headers that keep it safe in a browser.
import type { Bindings } from "./env.ts";

/** What a browser may do with the page's files, and that no other site may have the page in a frame. */
const PAGE_HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self' ws: wss: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Has the platform answer a request for a file, and adds the page's security headers. */
export async function asset(env: Bindings, request: Request): Promise<Response> {
  const file = await env.ASSETS.fetch(request);
  const answer = new Response(file.body, file);
  for (const [name, value] of Object.entries(PAGE_HEADERS)) answer.headers.set(name, value);
  return answer;
}
