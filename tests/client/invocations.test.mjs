// Events whose answer the application waits for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { npmPackage, setUp, setUpConnected, unreliable } from "./harness.mjs";

const { InvocationError } = npmPackage;

/** A service that answers every invocation with this. */
const answering =
  (answer) =>
  (connection, { type, invocationId }) => {
    if (type === "invoke") connection.say({ type: "invokeResponse", invocationId, success: true, ...answer });
  };

/** What an invocation rejects with. */
const failure = async (invocation) => {
  const error = await invocation.then(
    () => undefined,
    (error) => error,
  );
  assert.ok(error instanceof InvocationError);
  assert.equal(error instanceof Error, true);
  const { name, message, invocationId, errorDetail } = error;
  assert.equal(name, "InvocationError");
  return { message, invocationId, errorDetail };
};

test("an invocation gives the server's answer, whatever its kind", async (t) => {
  const { service, client, connection } = await setUpConnected(t);
  for (const [answer, dataType, data] of [
    [{ dataType: "text", data: "pong" }, "text", "pong"],
    [{ dataType: "text", data: "" }, "text", ""],
    [{ dataType: "json", data: { a: [1] } }, "json", { a: [1] }],
    [{ dataType: "binary", data: "AP8=" }, "binary", new Uint8Array([0, 255]).buffer],
    [{}, undefined, undefined],
  ]) {
    service.answer = answering(answer);
    const result = await client.invokeEvent("echo", "hi", "text");
    const { invocationId } = await connection.message();
    assert.deepEqual(result, { invocationId, dataType, data });
  }
});

test("invocations are numbered from 1 or by the application", async (t) => {
  const { service, client, connection } = await setUpConnected(t);
  service.answer = answering({});
  await client.invokeEvent("echo", { a: 1 }, "json");
  await client.invokeEvent("echo", new Uint8Array([0, 255]), "binary", { invocationId: "mine" });
  await client.invokeEvent("echo", "hi", "text", null);
  assert.deepEqual(connection.messages(), [
    { type: "invoke", invocationId: "1", target: "event", event: "echo", dataType: "json", data: { a: 1 } },
    { type: "invoke", invocationId: "mine", target: "event", event: "echo", dataType: "binary", data: "AP8=" },
    { type: "invoke", invocationId: "2", target: "event", event: "echo", dataType: "text", data: "hi" },
  ]);
});

test("answers may come in any order", async (t) => {
  const { service, client } = await setUpConnected(t);
  const asked = [];
  service.answer = (connection, { invocationId }) => {
    asked.unshift(invocationId);
    if (asked.length < 3) return;
    for (const id of asked)
      connection.say({ type: "invokeResponse", invocationId: id, success: true, dataType: "text", data: `to ${id}` });
  };
  const results = await Promise.all(
    ["a", "b", "c"].map((invocationId) => client.invokeEvent("echo", 1, "json", { invocationId })),
  );
  assert.deepEqual(
    results.map(({ data }) => data),
    ["to a", "to b", "to c"],
  );
});

test("a refusal is an InvocationError, and is not tried again", async (t) => {
  const { service, client, connection } = await setUpConnected(t, {
    messageRetryOptions: { maxRetries: 3, retryDelayInMs: 1 },
  });
  const errorDetail = { name: "InternalServerError", message: "Internal server error" };
  service.answer = answering({ success: false, error: errorDetail });
  assert.deepEqual(await failure(client.invokeEvent("echo", 1, "json")), {
    message: errorDetail.message,
    invocationId: "1",
    errorDetail,
  });
  service.answer = answering({ success: false });
  assert.deepEqual(await failure(client.invokeEvent("echo", 1, "json")), {
    message: "Invocation failed.",
    invocationId: "2",
    errorDetail: undefined,
  });
  assert.equal(connection.messages().length, 2);
});

test("an answer that is none is an InvocationError", async (t) => {
  const { service, client } = await setUpConnected(t);
  for (const answer of [
    { success: undefined },
    { success: "true" },
    { dataType: "xml", data: "x" },
    { dataType: "binary", data: "%" },
    { dataType: "json" },
  ]) {
    service.answer = answering(answer);
    const { message } = await failure(client.invokeEvent("echo", 1, "json", { invocationId: "1" }));
    assert.equal(message, "Unsupported invoke response frame.", JSON.stringify(answer));
  }
});

test("an invocation fails with its link, and without one", async (t) => {
  const { service, client } = await setUp(t, { protocol: unreliable, autoReconnect: false });
  assert.deepEqual(await failure(client.invokeEvent("echo", 1, "json", { invocationId: "i" })), {
    message: "The connection is not connected.",
    invocationId: "i",
    errorDetail: undefined,
  });
  const [connection] = await Promise.all([service.connection(), client.start()]);
  service.answer = () => connection.drop();
  assert.deepEqual(await failure(client.invokeEvent("echo", 1, "json")), {
    message: "Connection is disconnected before receiving invoke response from the service",
    invocationId: "1",
    errorDetail: undefined,
  });
});

test("an invocation that is given up is cancelled at the service", async (t) => {
  const { service, client, connection } = await setUpConnected(t);
  service.answer = () => {};
  const controller = new AbortController();
  const invocation = failure(client.invokeEvent("echo", 1, "json", { abortSignal: controller.signal }));
  assert.equal((await connection.message()).type, "invoke");
  controller.abort();
  const aborted = { message: "Invocation cancelled by abortSignal.", errorDetail: undefined };
  assert.deepEqual(await invocation, { ...aborted, invocationId: "1" });
  assert.deepEqual(await connection.message(), { type: "cancelInvocation", invocationId: "1" });
  const again = client.invokeEvent("echo", 1, "json", { invocationId: "2", abortSignal: controller.signal });
  assert.deepEqual(await failure(again), { ...aborted, invocationId: "2" });
  assert.deepEqual(connection.messages(), []);
});

test("an id that waits cannot be chosen again, and some are none", async (t) => {
  const { service, client, connection } = await setUpConnected(t);
  service.answer = () => {};
  const first = client.invokeEvent("echo", 1, "json", { invocationId: "a" });
  assert.equal(
    (await failure(client.invokeEvent("echo", 1, "json", { invocationId: "a" }))).message,
    "Invocation id is already registered.",
  );
  await assert.rejects(client.invokeEvent("echo", 1, "json", { invocationId: "" }), InvocationError);
  await assert.rejects(client.invokeEvent("-", 1, "json"), /An event name is/);
  await assert.rejects(client.invokeEvent("echo", 1, "text"), {
    name: "InvocationError",
    message: "Message must be a string.",
  });
  connection.say({ type: "invokeResponse", invocationId: "a", success: true });
  assert.equal((await first).invocationId, "a");
  service.answer = answering({});
  assert.equal((await client.invokeEvent("echo", 1, "json", { invocationId: "a" })).invocationId, "a");
});
