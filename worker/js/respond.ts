// Responses, made on the JavaScript side in one crossing.

/** The last answer without a body. The next one is mostly the same, and its headers cost more than all else of it. */
let last: { answer?: string; response?: Response } = {};

/**
 * The response that an answer of Rust's stands for: a line with the status, one for each header with a colon after
 * its name, an empty one, and the body.
 */
export function respond(answer: string): Response {
  if (answer === last.answer) return new Response(null, last.response);
  const end = answer.indexOf("\n\n");
  const [status, ...fields] = answer.slice(0, end).split("\n");
  // No browser guesses that an error which repeats what it was sent is a page.
  const headers = new Headers({ "X-Content-Type-Options": "nosniff" });
  for (const field of fields) {
    const colon = field.indexOf(":");
    headers.set(field.slice(0, colon), field.slice(colon + 1));
  }
  const body = answer.slice(end + 2);
  const init = { status: Number(status), headers };
  // As bytes: the platform gives text a type of its own.
  if (body) return new Response(new TextEncoder().encode(body), init);
  last = { answer, response: new Response(null, init) };
  return new Response(null, last.response);
}

/** The answer to an upgrade that ends in `webSocket`. */
export function switchTo(webSocket: WebSocket, subprotocol?: string): Response {
  const headers = subprotocol ? { "Sec-WebSocket-Protocol": subprotocol } : undefined;
  return new Response(null, { status: 101, webSocket, headers });
}

/** The socket that a response carries, if it does. */
export function webSocket(response: Response): WebSocket | undefined {
  return response.webSocket ?? undefined;
}
