// HTTP requests with the path exactly as written: fetch would tidy it.
import assert from "node:assert/strict";
import http from "node:http";
import { text } from "node:stream/consumers";
import { within } from "./waiting.mjs";

/**
 * One request; the answer's body as text. A body may be a string, bytes, or an iterable of chunks without a length.
 * @param {string} endpoint
 * @param {string} method
 * @param {string} path
 * @typedef {string | Buffer | Iterable<string | Buffer>} Body
 * @typedef {{ status: number, headers: http.IncomingHttpHeaders, body: string }} Answer
 * @param {{ headers?: http.OutgoingHttpHeaders, body?: Body }} options
 * @returns {Promise<Answer>}
 */
export function request(endpoint, method, path, { headers = {}, body } = {}) {
  const { hostname, port } = new URL(endpoint);
  const answer = new Promise((resolve, reject) => {
    const sent = http.request({ hostname, port, method, path, headers, agent: false }, async (response) => {
      try {
        resolve({ status: response.statusCode, headers: response.headers, body: await text(response) });
      } catch (error) {
        reject(error);
      }
    });
    sent.on("error", reject);
    if (typeof body === "string" || body instanceof Buffer) {
      if (!hasLength(headers)) sent.setHeader("content-length", Buffer.byteLength(body));
      sent.end(body);
    } else {
      for (const chunk of body ?? []) sent.write(chunk);
      sent.end();
    }
  });
  return within(answer, `an answer to ${method} ${path.slice(0, 200)}`);
}

/**
 * Fails unless the answer has this status and the API's error body, with this code and target, and this message if any.
 * @param {Answer} answer
 * @param {number} expected
 * @param {{ code: string, target?: string | null, message?: string }} error
 */
export function expectError({ status, headers, body }, expected, { code, target, message }) {
  assert.equal(status, expected, body);
  assert.match(headers["content-type"] ?? "", /^application\/json/);
  assert.equal(headers["x-ms-error-code"], code);
  const error = JSON.parse(body);
  assert.ok(error.message.length > 0);
  assert.deepEqual(error, { code, message: message ?? error.message, target, details: null, innererror: null });
}

/** What a caller without a token receives. */
export const MISSING_TOKEN =
  "The access token is missing: send it as `Authorization: Bearer`, or as a client's query parameter `access_token`.";

/**
 * Fails unless the caller was refused: the status, the challenge, and the API's error body with this message.
 * @param {Answer} answer
 * @param {string} message
 */
export function expectUnauthorized(answer, message, status = 401) {
  assert.equal(answer.headers["www-authenticate"], "Bearer", message);
  const code = status === 403 ? "Error.Forbidden" : "Error.Unauthorized";
  expectError(answer, status, { code, target: "Request", message });
}

/**
 * Fails unless the answer is what the hosted service answers to a filter that is none, in the query or in the body.
 * @param {Answer} answer
 * @param {string} target
 * @param {string} message
 */
export function expectInvalidFilter({ status, headers, body }, target, message) {
  assert.equal(status, 400, body);
  assert.equal(headers["content-type"], "application/problem+json; charset=utf-8");
  assert.equal(headers["x-ms-error-code"], "Error.BadRequest");
  assert.equal(headers["api-supported-versions"], undefined);
  assert.deepEqual(JSON.parse(body), {
    code: "Error.BadRequest",
    message,
    target,
    errors: { [target]: [message] },
    type: null,
    title: "One or more validation errors occurred.",
    status: 400,
    detail: null,
    instance: null,
    extensions: {},
  });
}

/**
 * Asks for a WebSocket; the status, the headers and, unless it is given, the body of the answer, whatever it is. The
 * connection is dropped at once.
 * @param {string} endpoint
 * @param {string} path
 * @param {http.OutgoingHttpHeaders} headers
 * @returns {Promise<{ status: number, headers: http.IncomingHttpHeaders, body?: string }>}
 */
export function upgrade(endpoint, path, headers = {}) {
  const { hostname, port } = new URL(endpoint);
  const answer = new Promise((resolve, reject) => {
    const sent = http.request({ hostname, port, path, headers: { ...UPGRADE, ...headers }, agent: false });
    sent.on("upgrade", ({ headers }, socket) => {
      socket.destroy();
      resolve({ status: 101, headers });
    });
    sent.on("response", (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, headers: response.headers, body }), reject);
    });
    sent.on("error", reject);
    sent.end();
  });
  return within(answer, `an answer to the upgrade of ${path}`);
}

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** @param {http.OutgoingHttpHeaders} headers */
const hasLength = (headers) => Object.keys(headers).some((name) => name.toLowerCase() === "content-length");
