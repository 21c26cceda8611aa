// What large answers cost: their size in memory, and what their clients are sent.
//
// The cost is the growth of the process's largest resident set while two such answers are read and, if they are of use,
// sent to a client that reads them, as a multiple of one answer's size. The platform alone takes three times the size of
// a text that it sends: its string, and two copies; of bytes it takes two copies.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AT_ONCE, startWithHub } from "../../support/event-handler.mjs";
import { peakBytes } from "../../support/memory.mjs";
import { connectProtobuf, field, message } from "../../support/protobuf.mjs";
import { Service } from "../../support/service.mjs";
import { cases } from "../../support/cases.mjs";

const SIZE = 15 << 20;
const of = (type, body, headers) => ({ headers: { "content-type": type, ...headers }, body });
const quoted = (size) => Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(size - 8, "x"), Buffer.from('"}')]);
const any = (size) => message(field(1, "type.googleapis.com/a"), field(2, Buffer.alloc(size - 40, 1)));

/** Answers of about so many bytes. */
const answers = {
  "a page": (size) => of("text/html", Buffer.alloc(size, "x"), { "content-length": size }),
  "a page of a length that is not announced": (size) => of("text/html", Buffer.alloc(size, "x")),
  "what is no JSON": (size) => of("application/json", Buffer.alloc(size, "x")),
  text: (size) => of("text/plain", Buffer.alloc(size, "x")),
  "text with line breaks": (size) => of("text/plain", Buffer.alloc(size, "Forty characters and one that is escaped\n")),
  "Chinese text": (size) => of("text/plain", Buffer.alloc(size, "語")),
  JSON: (size) => of("application/json", quoted(size)),
  bytes: (size) => of("application/octet-stream", Buffer.alloc(size, 7)),
  "an Any": (size) => of("application/x-protobuf", any(size)),
};

const clients = {
  json: {
    connect: (hub) => hub.connect(),
    ask: (ackId) => ({ type: "event", event: "chat", data: 1, ackId }),
    isLast: (frame) => frame.includes('"type":"ack"'),
  },
  invoking: {
    connect: (hub) => hub.connect(),
    ask: (id) => ({ type: "invoke", target: "event", invocationId: `${id}`, event: "chat", data: 1 }),
    isLast: () => true,
  },
  protobuf: {
    connect: (hub) => connectProtobuf(hub),
    ask: (ackId) => field(5, message(field(1, "chat"), field(2, field(1, "x")), field(3, ackId))),
    isLast: (frame) => frame[0] === 0x0a,
  },
};

const UNUSABLE = 2;
const TEXT_FRAME = 5.5;
const BASE64_FRAME = 9;
const BINARY_FRAME = 4.5;

describe("The memory of two large answers, in times the size of one", () => {
  for (const [what, kind, most] of cases([
    ["a page", "json", UNUSABLE],
    ["a page of a length that is not announced", "json", UNUSABLE],
    ["what is no JSON", "json", UNUSABLE],
    ["text", "json", TEXT_FRAME],
    ["text with line breaks", "json", TEXT_FRAME],
    ["Chinese text", "json", TEXT_FRAME],
    ["JSON", "json", TEXT_FRAME],
    ["JSON", "invoking", TEXT_FRAME],
    ["bytes", "json", BASE64_FRAME],
    ["text", "protobuf", BINARY_FRAME],
    ["JSON", "protobuf", BINARY_FRAME],
    ["bytes", "protobuf", BINARY_FRAME],
    ["an Any", "protobuf", BINARY_FRAME],
  ])) {
    test(`${what} to a ${kind} client: ${most}`, async (t) => {
      const service = new Service({ variables: AT_ONCE, inMemory: true });
      await service.start();
      t.after(() => service.stop());
      const peak = () => peakBytes(service.pid);
      const { handler, hub } = await startWithHub(t, service);
      const { connect, ask, isLast } = clients[kind];
      const socket = await connect(hub);
      let asked = 0;
      const receive = async (size, times) => {
        handler.answer("user.chat", answers[what](size));
        for (let n = 0; n < times; n++) {
          socket.send(ask(++asked));
          while (!isLast(await socket.next()));
        }
      };
      await receive(50_000, 20);
      await receive(1 << 20, 3);
      const before = peak();
      await receive(SIZE, 2);
      const times = (peak() - before) / SIZE;
      t.diagnostic(`${times.toFixed(1)} times its size`);
      assert.ok(times < most, `${times.toFixed(1)} times its size`);
    });
  }
});
