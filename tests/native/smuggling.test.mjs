// Requests whose end two readers could see in two places: the native server refuses them, or takes the one end that the
// standard has, and nothing in a body is ever a request.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Service } from "../support/service.mjs";
import { exchange } from "../support/raw.mjs";
import { sign } from "../support/token.mjs";

const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CHUNKED = "Transfer-Encoding: chunked";
/** Heads with something wrong in them. Each is followed by a body with a request in it. */
const REFUSED = {
  "two lengths": ["Content-Length: 5", `Content-Length: ${HIDDEN.length}`],
  "a list of lengths": [`Content-Length: 5, ${HIDDEN.length}`],
  "a length with a sign": ["Content-Length: +5"],
  "a negative length": ["Content-Length: -1"],
  "a length in hexadecimal": ["Content-Length: 0x5"],
  "a length with a letter behind it": ["Content-Length: 5x"],
  "a length beyond all numbers": ["Content-Length: 99999999999999999999999"],
  "another coding at last": ["Transfer-Encoding: chunked, identity"],
  "a coding that is unknown": ["Transfer-Encoding: xchunked"],
  "an empty coding": ["Transfer-Encoding:"],
  "a coding with a control character": ["Transfer-Encoding: \u000bchunked"],
  "a space before the colon": ["Content-Length : 5"],
  "a header that is folded": ["X-A: b\r\n Content-Length: 5"],
  "a control character in a name": ["Content\u0000-Length: 5"],
  "a control character in a value": ["X-A: b\u0000c"],
  "a line without a colon": ["Content-Length 5"],
  "no name": [": 5"],
};
/** Chunks with something wrong in them. */
const BROKEN_CHUNKS = {
  "a size that is no number": "g\r\n",
  "a negative size": "-1\r\n",
  "a size beyond all numbers": "fffffffffffffffff\r\n",
  "a size with a sign": "+5\r\nhello\r\n",
  "too much for its size": "5\r\nhello!\r\n",
  "a size without a line": `${"0".repeat(20_000)}5\r\n`,
  "an extension without an end": `5;${"e".repeat(200_000)}\r\n`,
};

describe("Requests with two ends", () => {
  const service = new Service({ runner: "server" });
  before(() => service.start());
  after(() => service.stop());

  const target = "/api/hubs/smuggling/:send?api-version=2024-12-01";
  const head = (lines) => {
    const authorization = `Authorization: Bearer ${sign({ aud: `${service.endpoint}${target}` }, service.key)}`;
    const all = [
      `POST ${target} HTTP/1.1`,
      `Host: 127.0.0.1:${service.port}`,
      authorization,
      "Content-Type: text/plain",
    ];
    return `${[...all, ...lines].join("\r\n")}\r\n\r\n`;
  };
  const health = () => `HEAD /api/health HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\nConnection: close\r\n\r\n`;

  /** The statuses of all answers to these bytes, until the service closes. */
  async function statuses(bytes) {
    const answers = await exchange(service, Buffer.from(bytes, "latin1"));
    return [...answers.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  }

  for (const [what, lines] of Object.entries(REFUSED))
    test(`${what}: refused, and nothing behind it is read`, async () => {
      assert.deepEqual(await statuses(`${head(lines)}${HIDDEN}${health()}`), [400]);
    });

  for (const [what, chunk] of Object.entries(BROKEN_CHUNKS))
    test(`${what}: no chunk, and nothing behind it is read`, async () => {
      const [status, ...more] = await statuses(`${head([CHUNKED])}${chunk}${HIDDEN}${health()}`);
      // The connection may be gone before that is read.
      assert.ok(status === undefined || status === 400, `${status}`);
      assert.deepEqual(more, []);
    });

  for (const lines of [["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: gzip", CHUNKED], [CHUNKED, CHUNKED]])
    test(`${lines.join(" and ")}: what is in the chunks is not known, and refused`, async () => {
      assert.deepEqual(await statuses(`${head(lines)}5\r\nhello\r\n0\r\n\r\n${health()}`), [501]);
    });

  test("of a length and chunks, chunks are the end, and the last", async () => {
    const chunks = "5\r\nhello\r\n0\r\n\r\n";
    for (const lines of [
      ["Content-Length: 3", CHUNKED],
      [CHUNKED, `Content-Length: ${chunks.length + HIDDEN.length}`],
    ])
      assert.deepEqual(await statuses(`${head(lines)}${chunks}${health()}`), [202]);
  });

  test("a request in a body stays one", async () => {
    const chunk = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\nX-Trailer: ${"t".repeat(100)}\r\n\r\n`;
    assert.deepEqual(await statuses(`${head([CHUNKED])}${chunk}${health()}`), [202, 200]);
    assert.deepEqual(await statuses(`${head([`Content-Length: ${HIDDEN.length}`])}${HIDDEN}${health()}`), [202, 200]);
    const unsigned = head([`Content-Length: ${HIDDEN.length}`]).replace(/Authorization: [^\r]*\r\n/, "");
    assert.deepEqual(await statuses(`${unsigned}${HIDDEN}${health()}`), [401, 200]);
  });

  test("requests one behind the other have answers in their order", async () => {
    const one = `HEAD /api/health HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\n\r\n`;
    const refused = one.replace("/api/health", "/nothing");
    const many = Array.from({ length: 50 }, (_, n) => (n % 3 ? one : refused)).join("");
    const expected = [...Array.from({ length: 50 }, (_, n) => (n % 3 ? 200 : 404)), 200];
    assert.deepEqual(await statuses(`${many}${health()}`), expected);
  });

  test("a head that is too large is refused", async () => {
    assert.deepEqual(await statuses(`${head([`X-A: ${"a".repeat(300_000)}`])}${health()}`), [431]);
    assert.deepEqual(await statuses(`${head(Array.from({ length: 500 }, (_, n) => `X-${n}: a`))}${health()}`), [431]);
  });

  test("a head that cannot be read is refused in words", async () => {
    const long = "a".repeat(70_000);
    for (const [bytes, status, code] of /** @type {const} */ ([
      ["no request\r\n\r\n", 400, "Error.BadRequest"],
      [`GET /client/hubs/h?access_token=${long} HTTP/1.1\r\n\r\n`, 414, "Error.UriTooLong"],
      [head([`X-A: ${long.repeat(3)}`]), 431, "Error.RequestHeaderFieldsTooLarge"],
      // Behind another one, whose answer comes first.
      [`${health().replace("close", "keep-alive")}no request\r\n\r\n`, 400, "Error.BadRequest"],
    ])) {
      const answers = await exchange(service, Buffer.from(bytes, "latin1"));
      const [lines, body] = answers.split("\r\n\r\n").slice(-2);
      assert.ok(lines.startsWith(`HTTP/1.1 ${status} `), lines);
      assert.ok(lines.includes(`\r\nx-ms-error-code: ${code}\r\n`), lines);
      assert.ok(lines.includes(`\r\ncontent-length: ${body.length}\r\n`), lines);
      assert.equal(JSON.parse(body).code, code);
    }
  });
});
