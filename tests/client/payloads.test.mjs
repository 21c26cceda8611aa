// What can be sent, and what arrives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, setUpConnected } from "./harness.mjs";
import { cases } from "../support/cases.mjs";

const { SendMessageError } = npmPackage;

test("text, JSON and bytes go out as the protocol has them", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const bytes = new Uint8Array([9, 0, 255, 9]).subarray(1, 3);
  const large = new Uint8Array(100_000).map((_, i) => i);
  const sent = [
    ["", "text", ""],
    ['é \ud83d\ude00 "', "text", 'é \ud83d\ude00 "'],
    [0, "json", 0],
    [false, "json", false],
    ["text", "json", "text"],
    [[1, { a: null }], "json", [1, { a: null }]],
    [bytes, "binary", "AP8="],
    [bytes.slice().buffer, "protobuf", "AP8="],
    [new DataView(bytes.buffer, 1, 2), "binary", "AP8="],
    [large, "binary", Buffer.from(large).toString("base64")],
  ];
  for (const [content, dataType, data] of sent) {
    await client.sendToGroup("g", content, dataType);
    const message = await connection.message();
    assert.deepEqual([message.dataType, message.data], [dataType, data]);
  }
});

test("what does not fit its type is refused unsent", async (t) => {
  const { client, connection } = await setUpConnected(t);
  const cyclic = { self: {} };
  cyclic.self = cyclic;
  const wrong = cases([
    [1, "text", "Message must be a string."],
    [{}, "text", "Message must be a string."],
    ["hi", "binary", "Message must be a ArrayBuffer"],
    [[1], "protobuf", "Message must be a ArrayBuffer"],
    [null, "json", "Message must be a JSON value other than null."],
    [undefined, "json", "Message must be a JSON value other than null."],
    [Number.NaN, "json", "Message must be a JSON value other than null."],
    [new Date(Number.NaN), "json", "Message must be a JSON value other than null."],
    [cyclic, "json", /circular/],
    [1n, "json", /BigInt/],
    ["hi", "xml", "Unknown data type: xml"],
  ]);
  for (const [content, dataType, message] of wrong) {
    for (const sending of [client.sendToGroup("g", content, dataType), client.sendEvent("e", content, dataType)]) {
      const error = await sending.catch((error) => error);
      assert.ok(error instanceof SendMessageError);
      assert.ok(typeof message === "string" ? error.message === message : message.test(error.message), error.message);
      assert.ok(error.cause instanceof TypeError);
    }
  }
  assert.deepEqual(connection.messages(), []);
});

test("a value is sent as it was when it was passed", async (t) => {
  const { service, client, connection } = await setUpConnected(t, { messageRetryOptions: { retryDelayInMs: 1 } });
  const answer = service.answer;
  service.answer = (connection, { ackId }) => {
    service.answer = answer;
    connection.refuse(ackId, "InternalServerError");
  };
  const value = { a: 1 };
  const sending = client.sendToGroup("g", value, "json");
  value.a = 2;
  await sending;
  assert.deepEqual(
    connection.messages().map(({ data }) => data),
    [{ a: 1 }, { a: 1 }],
  );
});

test("messages arrive with the official kinds and all they carry", async (t) => {
  const { connection, event } = await setUpConnected(t);
  const group = { type: "message", from: "group", group: "g", fromUserId: "bob", dataType: "text", data: "hi" };
  connection.say({ ...group, sequenceId: 1, metadata: { trace: "1" } });
  assert.deepEqual(await event(), [
    "group-message",
    { message: { ...group, kind: "groupData", sequenceId: 1, metadata: { trace: "1" } } },
  ]);
  const server = { type: "message", from: "server", dataType: "json", data: { a: [1] } };
  connection.say(server);
  assert.deepEqual(await event(), ["server-message", { message: { ...server, kind: "serverData" } }]);
  for (const dataType of ["binary", "protobuf"]) {
    connection.say({ type: "message", from: "server", dataType, data: "AP8=" });
    const [, { message }] = await event();
    assert.ok(message.data instanceof ArrayBuffer);
    assert.deepEqual([...new Uint8Array(message.data)], [0, 255]);
  }
});

test("frames that the client does not know are ignored", async (t) => {
  const { connection, event } = await setUpConnected(t);
  const message = { type: "message", from: "server", dataType: "text", data: "hi" };
  for (const frame of [
    "",
    "not JSON",
    "null",
    "1",
    "[]",
    "{}",
    { type: "unheard of" },
    { type: "system", event: "unheard of" },
    { type: "system", event: "toString", kind: "groupData" },
    { ...message, from: "constructor" },
    { type: "system", event: "connected" },
    { type: "ack" },
    { type: "ack", ackId: "1", success: false },
    { type: "ack", ackId: 99, success: false },
    { type: "pong" },
    { ...message, from: "elsewhere" },
    { ...message, dataType: "xml" },
    { ...message, dataType: undefined },
    { ...message, data: 1 },
    { ...message, data: undefined },
    { ...message, dataType: "json", data: null },
    { ...message, dataType: "binary", data: "?" },
  ]) {
    connection.say(frame);
  }
  connection.socket.send(Buffer.from([1, 2, 3]));
  connection.say({ ...message, data: "known" });
  assert.equal((await event())[1].message.data, "known");
});
