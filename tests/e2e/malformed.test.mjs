// Random rubbish, the same in every run: nothing that a peer sends gets a 5xx, and nobody else notices.
// Left out is what the runtime answers before the service sees it: unknown methods, a `Host` that is missing or
// there twice, absolute targets, impossible lengths, headers too large.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../support/hub.mjs";
import { Random } from "../support/random.mjs";
import { exchange, frame, hasClose, hasHead } from "../support/raw.mjs";
import { request } from "../support/rest.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { sign } from "../support/token.mjs";
import { readVectors } from "../support/vectors.mjs";

const REQUESTS = 300;
const FRAMES = 300;
const METHODS = ["GET", "GET", "POST", "POST", "POST", "HEAD", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"];
const SEGMENTS = [
  "api", "hubs", "hub", "health", "client", "clients", "mqtt", "groups", "users", "connections", "permissions", ":send",
  ":generateToken", ":closeConnections", "management", "", ".", "..", "%", "%zz", "%2", "%ff", "%00", "%2F", "%2e%2e", "%C3%A4",
  "a".repeat(2000), "1", "~", "*", "'", "<script>", "\\", "|", "{}", "[", "^", "`", "room", "AAAAAAAA", "-_-_", "index.html",
];
/** Where the service does something; `{}` is for a name that it has to make sense of. */
const PLACES = [
  "/api/hubs/HUB/:send", "/api/hubs/HUB/:generateToken", "/api/hubs/HUB/groups/{}/:send", "/api/hubs/HUB/users/{}/:send",
  "/api/hubs/HUB/connections/{}/:send", "/api/hubs/HUB/groups/{}", "/api/hubs/HUB/users/{}", "/api/hubs/HUB/connections/{}",
  "/api/hubs/{}/:send", "/client/hubs/HUB", "/client/hubs/{}", "/client/", "/api/health", "/{}",
];
const QUERIES = [
  "", "?", "?api-version=2024-12-01", "?api-version=1", "?api-version", "?&&&=", "?%zz=%", "?hub=hub", "?hub=%00", "?access_token=a.b.c",
  "?awps_connection_id=%ff", "?filter=userId%20eq%20null", "?filter='", "?messageTtlSeconds=NaN", "?excluded=&excluded", `?${"q".repeat(4000)}`,
];
const HEADERS = [
  "", "Content-Type: text/plain", "Content-Type: application/json", "Content-Type: ;;;=", "Content-Type: text/plain; charset=", "Content-Type: \u00ff",
  "Authorization: Bearer", "Authorization: Bearer ..", "Authorization: \t", "Authorization: Bearer \u00e4", "Upgrade: websocket", "Upgrade: h2c",
  "Sec-WebSocket-Protocol: ,,, ,", "Sec-WebSocket-Protocol: json.webpubsub.azure.v1", "Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: x",
  "Connection: Upgrade", "X-WebPubSub-Metadata-: v", "X-WebPubSub-Metadata-a: \u00e4", "Origin: null", "Cookie: \u0001",
  "X-Forwarded-Host: elsewhere", "Accept: ;q=z", "Range: bytes=9-1", "If-None-Match: *", "Expect: nothing",
];
const BODIES = ["", "x", "{", "null", '{"groups":[1]}', "\u0000\u00ff", "[".repeat(1000)];

function requestOf(random, service, hub) {
  const junk = () => Array.from({ length: 1 + random.below(5) }, () => random.pick(SEGMENTS)).join("/");
  const place = random.pick(PLACES).replace("HUB", hub.name).replace("{}", random.below(3) ? random.pick(SEGMENTS) : junk());
  const path = place + random.pick(QUERIES);
  const method = random.pick(METHODS);
  const lines = Array.from({ length: random.below(5) }, () => random.pick(HEADERS)).filter(Boolean);
  // Half of them get past the first door.
  if (random.below(2)) lines.push(`Authorization: Bearer ${sign({ aud: `${service.endpoint}${path}` }, service.key)}`);
  const body = ["GET", "HEAD"].includes(method) ? "" : random.pick(BODIES);
  const head = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${service.port}`, ...lines, `Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

function frameOf(random, frames) {
  const bytes = Buffer.from(random.pick(frames));
  const at = random.below(bytes.length + 1);
  const other = Buffer.from(random.pick(frames));
  return random.pick([
    () => random.bytes(random.below(40)),
    () => bytes.subarray(0, at),
    () => Buffer.concat([bytes.subarray(0, at), random.bytes(1), bytes.subarray(at)]),
    () => Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]),
  ])();
}

forEachShardCount("Malformed input", (service) => {
  /** Somebody who was there before still hears, and newcomers are served. */
  async function expectHealth(hub, witness) {
    assert.equal((await request(service.endpoint, "HEAD", "/api/health")).status, 200);
    const newcomer = await hub.connect({ roles: ALL_ROLES });
    assert.equal((await newcomer.ask({ type: "sendToGroup", group: "witnesses", dataType: "text", data: "well?", ackId: 1 })).success, true);
    // A request that made sense after all may have reached the witness before.
    while ((await witness.json()).data !== "well?");
  }

  test("requests get an answer below 500", async () => {
    const hub = service.newHub();
    const witness = await hub.connect({ groups: ["witnesses"] });
    const random = new Random(1);
    for (let n = 0; n < REQUESTS; n++) {
      const bytes = requestOf(random, service, hub);
      const answer = await exchange(service, bytes, hasHead);
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
      assert.ok(Number(status) >= 100 && Number(status) < 500, `${bytes.toString("latin1").slice(0, 600)}\n→ ${answer.slice(0, 300)}`);
    }
    await expectHealth(hub, witness);
  });

  test("frames get an answer, silence, or a close that says why", async () => {
    const hub = service.newHub();
    const witness = await hub.connect({ groups: ["witnesses"] });
    const random = new Random(2);
    const frames = ["upstream", "upstream-refused"].flatMap((file) => readVectors(`client-json/${file}`)).map(({ input }) => input);
    for (let n = 0; n < FRAMES; n++) {
      const bytes = frameOf(random, frames);
      const reliable = random.below(2);
      const socket = await (reliable ? hub.connectReliable({ roles: ALL_ROLES }) : hub.connect({ roles: ALL_ROLES }));
      socket.send(random.below(8) ? bytes.toString() : bytes);
      socket.send('{"type":"ping","after":"the rubbish"}');
      let last;
      do last = await socket.json().catch(() => undefined);
      while (last && last.type !== "pong");
      if (!last) assert.ok([1003, 1007].includes((await socket.closed()).code), bytes.toString());
      socket.cut();
    }
    await expectHealth(hub, witness);
  });

  /** Sends frames as they are, and a goodbye, on a JSON connection; returns all that came back. */
  function speak(hub, options, frames) {
    const target = `/client/hubs/${hub.name}?access_token=${hub.token(options)}`;
    const head = [
      `GET ${target} HTTP/1.1`, `Host: 127.0.0.1:${service.port}`, "Connection: Upgrade", "Upgrade: websocket",
      "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: json.webpubsub.azure.v1",
    ];
    const goodbye = frame(8, Buffer.from([0x03, 0xe8]));
    return exchange(service, Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), ...frames, goodbye]), hasClose);
  }

  test("what is no UTF-8 in a message that is one otherwise is replaced by the platform", async () => {
    const hub = service.newHub();
    const listener = await hub.connect({ groups: ["room"] });
    const [head, tail] = ['{"type":"sendToGroup","group":"room","dataType":"text","data":"a', 'b"}'].map((text) => Buffer.from(text));
    await speak(hub, { roles: ALL_ROLES }, [frame(1, Buffer.concat([head, Buffer.from([0xff]), tail]))]);
    assert.equal((await listener.json()).data, "a\ufffdb");
  });

  test("broken WebSocket framing ends that connection and no other", async () => {
    const hub = service.newHub();
    const witness = await hub.connect({ groups: ["witnesses"] });
    const text = Buffer.from("x");
    for (const [code, ...broken] of [
      [1002, frame(3, text)],
      [1002, frame(11, text)],
      [1002, frame(1, text, { reserved: 2 })],
      [1002, frame(9, text, { fin: false })],
      [1002, frame(0, text)],
      [1002, frame(1, text, { fin: false }), frame(1, text)],
      [1007, frame(1, Buffer.from([0xff, 0xfe]))],
      // What the platform does not mind ends with the client's goodbye.
      [1000, frame(9, Buffer.alloc(200))],
      [1000, frame(8, Buffer.from([3]))],
      [1000, frame(8, Buffer.from([0, 1]))],
      [1000, frame(8, Buffer.from([0x03, 0xed]))],
    ]) {
      const answer = await speak(hub, { groups: ["broken"] }, broken);
      assert.match(answer, /^HTTP\/1\.1 101 /);
      const [, close] = /\x88.(..)/s.exec(answer.slice(answer.indexOf("\r\n\r\n"))) ?? [];
      assert.equal(Buffer.from(close ?? "", "latin1").readUInt16BE(), code, answer);
    }
    await expectHealth(hub, witness);
    assert.equal(await hub.exists("/groups/broken"), false, "their connections are gone");
  });
});
