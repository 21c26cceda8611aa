// The golden vectors of the JSON subprotocol, as our package reads and writes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readVectors } from "../support/vectors.mjs";
import { once, setUp, setUpConnected, unreliable } from "./harness.mjs";

const options = { protocol: unreliable, messageRetryOptions: once, autoReconnect: false };
const marker = { type: "message", from: "server", dataType: "text", data: "the end" };

/** What an application receives when the service sends this frame, in the vectors' words. */
async function received(t, { input, expected }) {
  if (expected.message === "connected") {
    const { service, client, event } = await setUp(t, options);
    const [connection] = await Promise.all([service.connection(), client.start()]);
    connection.say(input);
    const [name, { connectionId, userId }] = await event();
    return { message: name, connectionId, userId: userId ?? null, reconnectionToken: expected.reconnectionToken };
  }
  const { service, client, connection, event, events } = await setUpConnected(t, options);
  if (expected.message === "ack") {
    service.answer = () => connection.say(input);
    const ackId = Number(expected.ackId);
    const error = await client.joinGroup("g", { ackId }).then(
      ({ isDuplicated }) => (isDuplicated ? expected.error : null),
      ({ errorDetail }) => errorDetail,
    );
    return { message: "ack", ackId: expected.ackId, error };
  }
  if (expected.message === "invokeResponse") {
    service.answer = () => connection.say(input);
    const { invocationId } = expected;
    return client.invokeEvent("e", 1, "json", { invocationId }).then(
      ({ dataType = null, data = null }) => ({ message: "invokeResponse", invocationId, dataType, data, error: null }),
      ({ errorDetail }) => ({
        message: "invokeResponse",
        invocationId,
        dataType: null,
        data: null,
        error: errorDetail,
      }),
    );
  }
  connection.say(input);
  if (expected.message === "disconnected") {
    connection.close(1000);
    return { message: "disconnected", reason: (await event())[1].message.message };
  }
  connection.say(marker);
  const [name, { message }] = await event();
  if (message.data === marker.data) {
    assert.deepEqual(events(), []);
    return expected.message === "pong" ? { message: "pong" } : { ignored: true };
  }
  const { dataType, data, metadata, sequenceId, group, fromUserId } = message;
  const from = name === "group-message" ? { from: "group", group, fromUserId: fromUserId ?? null } : { from: "server" };
  return {
    message: "data",
    ...from,
    dataType,
    data: data instanceof ArrayBuffer ? Buffer.from(data).toString("hex") : data,
    metadata: Object.entries(metadata ?? {}),
    sequenceId: sequenceId === undefined ? null : String(sequenceId),
  };
}

/** The vector's words as far as JavaScript's numbers can say them. */
function asNumbersAllow(expected) {
  const sequenceId = expected.sequenceId && String(Number(expected.sequenceId));
  const data = expected.dataType === "json" ? JSON.parse(expected.data) : expected.data;
  return { ...expected, ...(expected.message === "data" && { sequenceId, data }) };
}

// JavaScript cannot choose the largest ack id, so no ack will have it.
const vectors = readVectors("client-json/downstream").filter(({ expected: { ackId = "0" } }) =>
  Number.isSafeInteger(Number(ackId)),
);
for (const vector of vectors) {
  test(`reading: ${vector.name}`, async (t) =>
    assert.deepEqual(await received(t, vector), asNumbersAllow(vector.expected)));
}

test("invalid frames leave the connection as it is", async (t) => {
  const { client, connection } = await setUpConnected(t, options);
  for (const { input } of readVectors("client-json/downstream-refused")) connection.say(input);
  assert.deepEqual(await client.joinGroup("g", { ackId: 99 }), { ackId: 99, isDuplicated: false });
});

for (const { name, input, sdk } of readVectors("client-json/upstream").filter(({ sdk }) => sdk)) {
  const operations = {
    joinGroup: (client, { group, ackId }) => client.joinGroup(group, { ackId }),
    leaveGroup: (client, { group, ackId }) => client.leaveGroup(group, { ackId }),
    sendToGroup: (client, { group, data, dataType, ackId, noEcho }) =>
      client.sendToGroup(group, data, dataType, { ackId, noEcho, fireAndForget: ackId === undefined }),
    sendEvent: (client, { event, data, dataType, ackId }) =>
      client.sendEvent(event, data, dataType, { ackId, fireAndForget: ackId === undefined }),
    // It gets no answer.
    invoke: (client, { event, data, dataType, invocationId }) =>
      void client.invokeEvent(event, data, dataType, { invocationId }).catch(() => {}),
  };
  const operation = operations[sdk.kind];
  if (!operation) continue;
  test(`writing: ${name}`, async (t) => {
    const { client, connection } = await setUpConnected(t, options);
    await operation(client, sdk);
    assert.deepEqual(await connection.message(), JSON.parse(input));
  });
}
