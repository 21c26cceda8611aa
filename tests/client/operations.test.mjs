// Joining, leaving, sending, and their acks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, once, setUp, setUpConnected } from "./harness.mjs";

const { SendMessageError } = npmPackage;

test("operations carry ack ids from 1 and end with their acks", async (t) => {
  const { client, connection } = await setUpConnected(t);
  assert.deepEqual(
    await Promise.all([
      client.joinGroup("g"),
      client.sendToGroup("g", "hi", "text"),
      client.sendToGroup("g", { a: [1, null] }, "json", { noEcho: true }),
      client.sendEvent("hello", "hi", "text"),
      client.leaveGroup("g"),
    ]),
    [1, 2, 3, 4, 5].map((ackId) => ({ ackId, isDuplicated: false })),
  );
  assert.deepEqual(connection.messages(), [
    { type: "joinGroup", group: "g", ackId: 1 },
    { type: "sendToGroup", group: "g", ackId: 2, noEcho: false, dataType: "text", data: "hi" },
    { type: "sendToGroup", group: "g", ackId: 3, noEcho: true, dataType: "json", data: { a: [1, null] } },
    { type: "event", event: "hello", ackId: 4, dataType: "text", data: "hi" },
    { type: "leaveGroup", group: "g", ackId: 5 },
  ]);
});

test("options may be left out as null", async (t) => {
  const { client } = await setUpConnected(t, null);
  for (const call of [
    client.joinGroup("g", null),
    client.leaveGroup("g", { ackId: null }),
    client.sendToGroup("g", 1, "json", null),
    client.sendEvent("e", 1, "json", null),
  ]) {
    assert.equal((await call).isDuplicated, false);
  }
});

test("fire and forget carries no ack id and waits for none", async (t) => {
  const { client, connection } = await setUpConnected(t);
  assert.deepEqual(await client.sendToGroup("g", "hi", "text", { fireAndForget: true }), { isDuplicated: false });
  assert.deepEqual(await client.sendEvent("hello", 1, "json", { fireAndForget: true }), { isDuplicated: false });
  assert.deepEqual(await connection.message(), {
    type: "sendToGroup",
    group: "g",
    noEcho: false,
    dataType: "text",
    data: "hi",
  });
  assert.deepEqual(await connection.message(), { type: "event", event: "hello", dataType: "json", data: 1 });
});

test("an ack id of one's own is used, and a duplicate is a success", async (t) => {
  const { service, client, connection } = await setUpConnected(t);
  service.answer = (connection, { ackId }) => connection.refuse(ackId, "Duplicate");
  assert.deepEqual(await client.joinGroup("g", { ackId: 77 }), { ackId: 77, isDuplicated: true });
  assert.deepEqual(connection.messages(), [{ type: "joinGroup", group: "g", ackId: 77 }]);
  for (const ackId of [-1, 1.5, "1", 2 ** 53]) {
    await assert.rejects(
      client.joinGroup("g", { ackId }),
      (/** @type {Error} */ error) => error instanceof SendMessageError && error.cause instanceof RangeError,
    );
  }
});

test("a refusal is a SendMessageError with what the service said", async (t) => {
  const { service, client } = await setUpConnected(t, { messageRetryOptions: once });
  service.answer = (connection, { ackId }) =>
    connection.refuse(ackId, "Forbidden", "The client does not have permission.");
  const error = await client.sendToGroup("g", "hi", "text").catch((error) => error);
  assert.ok(error instanceof SendMessageError);
  assert.equal(error instanceof Error, true);
  assert.deepEqual(
    { name: error.name, message: error.message, ackId: error.ackId, errorDetail: error.errorDetail },
    {
      name: "SendMessageError",
      message: "Failed to send message.",
      ackId: 1,
      errorDetail: { name: "Forbidden", message: "The client does not have permission." },
    },
  );
});

test("a refusal is retried as the options say, under a new id", async (t) => {
  const messageRetryOptions = { maxRetries: 2, retryDelayInMs: 1 };
  const { service, client, connection } = await setUpConnected(t, { messageRetryOptions });
  service.answer = (connection, { ackId }) => connection.refuse(ackId, "InternalServerError");
  await assert.rejects(client.joinGroup("g"), { ackId: 3 });
  assert.deepEqual(
    connection.messages().map(({ ackId }) => ackId),
    [1, 2, 3],
  );
});

test("without a connection operations fail", async (t) => {
  const { client } = await setUp(t, { messageRetryOptions: once });
  const message = "The connection is not connected.";
  await assert.rejects(client.joinGroup("g"), { name: "SendMessageError", message, ackId: 1 });
  await assert.rejects(client.sendToGroup("g", "hi", "text", { fireAndForget: true }), { name: "Error", message });
});

test("a connection that is lost before the ack fails the operation", async (t) => {
  const { service, client, connection } = await setUpConnected(t, { messageRetryOptions: once });
  service.answer = () => connection.drop();
  await assert.rejects(client.sendEvent("hello", "hi", "text"), {
    name: "SendMessageError",
    message: "Connection is disconnected before receive ack from the service",
    ackId: 1,
  });
});

test("an aborted operation is given up at once", async (t) => {
  const { service, client, connection } = await setUpConnected(t);
  service.answer = () => {};
  const controller = new AbortController();
  const join = client.joinGroup("g", { abortSignal: controller.signal });
  await connection.message();
  controller.abort();
  await assert.rejects(join, { name: "SendMessageError", message: "Cancelled by abortSignal", ackId: 1 });
  await assert.rejects(client.joinGroup("g", { abortSignal: AbortSignal.abort() }), {
    name: "SendMessageError",
    message: "Cancelled by abortSignal",
  });
  assert.deepEqual(connection.messages(), []);
});

test("names that would close the connection are refused here", async (t) => {
  const { client, connection } = await setUpConnected(t);
  for (const group of ["", " ", "x".repeat(1025)]) await assert.rejects(client.joinGroup(group), /A group name is/);
  for (const event of ["", "1st", "a b"])
    await assert.rejects(client.sendEvent(event, "hi", "text"), /An event name is/);
  assert.deepEqual(connection.messages(), []);
});

test("a name that is none is refused at once, whatever its type", async (t) => {
  const { client, connection } = await setUpConnected(t);
  for (const name of [undefined, null, 42, {}, ["g"], "", " ", "g".repeat(1025)]) {
    for (const operation of [client.joinGroup(name), client.leaveGroup(name), client.sendToGroup(name, "hi", "text")]) {
      const error = await operation.catch((error) => error);
      assert.ok(error instanceof SendMessageError, String(name));
      assert.equal(error.message, "A group name is 1 to 1024 characters, not all of them white space.");
    }
    const error = await client.sendEvent(name, "hi", "text").catch((error) => error);
    assert.ok(error instanceof SendMessageError, String(name));
    assert.match(error.message, /^An event name is a letter/);
  }
  assert.deepEqual(connection.messages(), []);
});
