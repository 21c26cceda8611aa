// Responses, made on the JavaScript side in one crossing.

/** Sets headers: `lines` has a name or a value a line, each with its line break. */
function setLines(headers: Headers, lines: string): Headers {
  const parts = lines.split("\n");
  for (let i = 0; i < parts.length - 1; i += 2) headers.set(parts[i]!, parts[i + 1]!);
  return headers;
}

/** The last answer without a body. The next one is mostly the same, and its headers cost more than all else of it. */
let last: { status?: number; lines?: string; response?: Response } = {};

/** A response with these headers (a name or a value a line) and this text. */
export function respond(status: number, lines: string, body?: string): Response {
  if (body === undefined && status === last.status && lines === last.lines) return new Response(null, last.response);
  // No browser guesses that an error which repeats what it was sent is a page.
  const headers = setLines(new Headers({ "X-Content-Type-Options": "nosniff" }), lines);
  // As bytes: the platform gives text a type of its own.
  if (body !== undefined) return new Response(new TextEncoder().encode(body), { status, headers });
  last = { status, lines, response: new Response(null, { status, headers }) };
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
