// Requests and frames with mistakes in them: random, and each the same whenever it is made of the same numbers.
import { readFileSync } from "node:fs";
import { sign } from "./token.mjs";
import { readVectors } from "./vectors.mjs";

/**
 * @import { Hub } from "./hub.mjs"
 * @import { Random } from "./random.mjs"
 * @import { Service } from "./service.mjs"
 */

/**
 * A query parameter of an operation.
 * @typedef {{ name: string, in: string, schema: { enum?: string[] } }} Parameter
 *
 * An operation of the API: its query parameters, and the types of its body if it has one. At times it is a client's
 * request, with its token.
 * @typedef {{ method: string, path: string, query: Parameter[], types: string[], token?: string }} Operation
 *
 * What `openapi.json` says of an operation, by its path and its method.
 * @typedef {Record<string, Record<string, { parameters: Parameter[], requestBody?: { content: object } }>>} Paths
 */

const MAX_CLIENT_MESSAGE_BYTES = 1_048_576;
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
/** Pieces of paths: names that are none, and words of the API where they do not belong. */
const SEGMENTS = [
  "api",
  "hubs",
  "hub",
  "health",
  "client",
  "clients",
  "mqtt",
  "groups",
  "users",
  "connections",
  "permissions",
  ":send",
  ":generateToken",
  ":closeConnections",
  "management",
  "",
  ".",
  "..",
  "%",
  "%zz",
  "%2",
  "%ff",
  "%00",
  "%2F",
  "%2e%2e",
  "%C3%A4",
  "a".repeat(2000),
  "1",
  "~",
  "*",
  "'",
  "<script>",
  "\\",
  "|",
  "{}",
  "[",
  "^",
  "`",
  "room",
  "AAAAAAAA",
  "-_-_",
  "index.html",
];
/** What the service answers beside the API; `{}` is for a name that it has to make sense of. */
const PLACES = [
  "/client/hubs/{hub}",
  "/client/hubs/{}",
  "/client/",
  "/client?hub={hub}",
  "/clients/mqtt/hubs/{hub}",
  "/api/{}",
  "/{}",
  "/api/hubs/{hub}/{}",
];
const VALUES = [
  "",
  "0",
  "1",
  "-1",
  "1.5",
  "300",
  "301",
  "99999999999999999999",
  "NaN",
  "true",
  "null",
  "room",
  "%zz",
  "%ff",
  "%00",
  "%C3%A4",
  "+",
  "&",
  "=",
  "q".repeat(4000),
];
const QUERIES = [
  "api-version=1",
  "api-version",
  "&&&=",
  "%zz=%",
  "hub=%00",
  "access_token=a.b.c",
  "awps_connection_id=%ff",
  "awps_connection_id=c&awps_reconnection_token=t",
  "webpubsub_mode=x",
  "excluded=&excluded",
  "reason=a&reason=b",
  "filter='",
];
const HEADERS = [
  "Content-Type: ;;;=",
  "Content-Type: text/plain; charset=",
  "Content-Type: \u00ff",
  "Authorization: Bearer",
  "Authorization: Bearer ..",
  "Authorization: \t",
  "Authorization: Bearer \u00e4",
  "Upgrade: websocket",
  "Upgrade: h2c",
  "Sec-WebSocket-Protocol: ,,, ,",
  "Sec-WebSocket-Protocol: json.webpubsub.azure.v1",
  "Sec-WebSocket-Version: 8",
  "Sec-WebSocket-Key: x",
  "Connection: Upgrade",
  "X-WebPubSub-Metadata-: v",
  "X-WebPubSub-Metadata-a: \u00e4",
  `X-WebPubSub-Metadata-b: ${"v".repeat(1025)}`,
  "Origin: null",
  "Cookie: \u0001",
  "X-Forwarded-Host: elsewhere",
  "Accept: ;q=z",
  "Range: bytes=9-1",
  "If-None-Match: *",
  "Expect: nothing",
];
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/**
 * @param {string[]} files
 * @param {string} [key]
 */
const inputsOf = (files, key = "input") =>
  files.flatMap((file) => readVectors(file)).map((vector) => vector[key] ?? "");
const FILTERS = inputsOf(["filters/matches", "filters/refused"], "filter").filter((filter) => filter.length < 2000);
const CONTENT_TYPES = inputsOf(["rest/content-types"], "contentType");
const MESSAGES = ["", "hi", "null", '"\u00e9"', '{"a":[1,2.50,"b"]}', "[".repeat(1000), "\u0000\u00ff"];
const GROUPS = inputsOf(["rest/group-bodies"], "body");

/** @param {string} hex */
const bytes = (hex) => Buffer.from(hex, "hex");
/**
 * @param {string} direction
 * @param {string} wanted
 */
const protobuf = (direction, wanted) =>
  bytes(readVectors(`client-protobuf/${direction}`).find(({ name }) => name === wanted).input);
export const PING = protobuf("upstream", "a ping");
export const PONG = protobuf("downstream", "a pong");

/** Messages that clients send. */
export const JSON_FRAMES = inputsOf(["client-json/upstream"]).map((text) => Buffer.from(text));
export const PROTOBUF_FRAMES = inputsOf(["client-protobuf/upstream"]).map(bytes);

/** @type {Paths} */
const PATHS = JSON.parse(readFileSync(new URL("../../www/api/openapi.json", import.meta.url), "utf8")).paths;

/**
 * The operations of the API.
 * @type {Operation[]}
 */
export const OPERATIONS = Object.entries(PATHS)
  .flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        query: parameters.filter((parameter) => parameter.in === "query"),
        types: Object.keys(requestBody?.content ?? {}),
      })),
    // Those of operators that change something concern other hubs, too.
  )
  .filter(({ method, path }) => method === "GET" || path.startsWith("/api/"));

/**
 * One of some inputs with mistakes made in it.
 * @param {Random} random
 * @param {(string | Buffer)[]} inputs
 */
function mutant(random, inputs) {
  let bytes = Buffer.from(random.pick(inputs));
  do {
    const at = random.below(bytes.length + 1);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const end = () => {
      const other = Buffer.from(random.pick(inputs));
      return other.subarray(random.below(other.length + 1));
    };
    bytes = random.pick([
      () => before,
      () => Buffer.concat([before, random.bytes(1 + random.below(4)), after]),
      () => Buffer.concat([before, random.bytes(1), after.subarray(1)]),
      () => Buffer.concat([before, after.subarray(random.below(9))]),
      () => Buffer.concat([before, after.subarray(0, random.below(40)), after]),
      () => Buffer.concat([before, end()]),
    ])();
  } while (random.below(2));
  return bytes;
}

/**
 * Request number `n` to a service about a hub and one of its connections, as bytes: every operation in turn, with
 * mistakes in its names, parameters, headers and body, and now and then something else.
 * @param {Random} random
 * @param {number} n
 * @param {{ service: Service, hub: Hub, connection: string }} options
 */
export function requestOf(random, n, { service, hub, connection }) {
  /**
   * @template T
   * @param {() => T} work
   */
  const rarely = (work) => (random.below(6) === 0 ? work() : undefined);
  const operation = rarely(() => somethingElse(random, hub)) ?? OPERATIONS[n % OPERATIONS.length];
  const method = rarely(() => random.pick(METHODS)) ?? operation.method;

  const path = fill(random, operation.path, {
    hub: hub.name,
    connectionId: connection,
    group: "room",
    userId: "alice",
    permission: "sendToGroup",
  });
  const parameters = operation.query
    .filter(() => random.below(3))
    .map((parameter) => `${parameter.name}=${someValue(random, parameter)}`);
  parameters.push(
    ...(rarely(() => [random.pick(QUERIES)]) ?? []),
    ...(operation.token ? [`access_token=${operation.token}`] : []),
  );
  const target = [path, parameters.join("&")].filter(Boolean).join(path.includes("?") ? "&" : "?");

  const headers = random.below(3) ? [] : Array.from({ length: 1 + random.below(3) }, () => random.pick(HEADERS));
  // Most of them get past the first door.
  if (random.below(8))
    headers.push(`Authorization: Bearer ${sign({ aud: `${service.endpoint}${target}` }, service.key)}`);
  if (operation.token) headers.push(...UPGRADE);
  const type = random.below(4) ? operation.types[0] : random.pick([...operation.types, ...CONTENT_TYPES]);
  if (type) headers.push(`Content-Type: ${type}`);
  const body = ["GET", "HEAD"].includes(method) ? Buffer.alloc(0) : bodyOf(random, operation);
  const head = [
    `${method} ${target} HTTP/1.1`,
    `Host: 127.0.0.1:${service.port}`,
    ...headers,
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/**
 * A request that is no operation: at times a client's, with its token.
 * @param {Random} random
 * @param {Hub} hub
 * @returns {Operation}
 */
function somethingElse(random, hub) {
  const elsewhere = { method: random.pick(METHODS), path: random.pick(PLACES), query: [], types: [] };
  if (random.below(2)) return elsewhere;
  const token = random.below(4) ? hub.token() : encodeURIComponent(mutant(random, [hub.token()]).toString());
  return { ...elsewhere, method: "GET", token };
}

/**
 * A path with good names or bad ones in its gaps.
 * @param {Random} random
 * @param {string} path
 * @param {Record<string, string>} names
 */
function fill(random, path, names) {
  const junk = () =>
    Array.from({ length: random.below(4) ? 1 : 1 + random.below(5) }, () => random.pick(SEGMENTS)).join("/");
  return path.replaceAll(/\{(\w*)\}/g, (_, gap) => (names[gap] && random.below(8) ? names[gap] : junk()));
}

/**
 * A parameter's value: one that it can have more often than not.
 * @param {Random} random
 * @param {Parameter} parameter
 */
function someValue(random, { name, schema }) {
  if (name === "filter")
    return encodeURIComponent(random.below(2) ? random.pick(FILTERS) : mutant(random, FILTERS).toString());
  if (schema.enum && random.below(16)) return random.pick(schema.enum);
  return random.below(2) ? random.pick(["1", "5", "room"]) : random.pick(VALUES);
}

/**
 * @param {Random} random
 * @param {{ types: string[] }} operation
 */
function bodyOf(random, { types }) {
  const inputs = types.length === 1 ? GROUPS : MESSAGES;
  if (types.length === 0 && random.below(4)) return Buffer.alloc(0);
  return random.below(2) ? Buffer.from(random.pick(inputs)) : mutant(random, inputs);
}

/**
 * One message with mistakes in it, in the fragments that it is sent in: strings for text, as most are where they should
 * be, and buffers for binary. A few are too long.
 * @param {Random} random
 * @param {{ inputs: (string | Buffer)[], isText: boolean }} kind
 */
export function frameOf(random, { inputs, isText }) {
  const short = mutant(random, inputs);
  const whole = random.below(30) ? short : Buffer.concat([short, Buffer.alloc(MAX_CLIENT_MESSAGE_BYTES, "x")]);
  const message = isText === random.below(8) > 0 ? whole.toString() : whole;
  if (random.below(8)) return [message];
  const at = random.below(message.length + 1);
  return [message.slice(0, at), message.slice(at)];
}
