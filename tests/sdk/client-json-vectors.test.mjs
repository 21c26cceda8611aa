// The golden vectors of the JSON subprotocol, read and written by Microsoft's client.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client";
import { readVectors } from "../support/vectors.mjs";

const protocol = WebPubSubJsonReliableProtocol();

/** What Microsoft's client makes of a frame, in the vectors' words. */
function inWords(message) {
  if (message === null) return { ignored: true };
  const id = (number) => (number === undefined ? null : String(number));
  switch (message.kind) {
    case "connected":
      return {
        message: "connected",
        connectionId: message.connectionId,
        userId: message.userId ?? null,
        reconnectionToken: message.reconnectionToken ?? null,
      };
    case "disconnected":
      return { message: "disconnected", reason: message.message ?? "" };
    case "groupData":
    case "serverData": {
      const { dataType, data, metadata } = message;
      const from =
        message.kind === "groupData"
          ? { from: "group", group: message.group, fromUserId: message.fromUserId ?? null }
          : { from: "server" };
      return {
        message: "data",
        ...from,
        dataType,
        data: payload(data),
        metadata: Object.entries(metadata ?? {}),
        sequenceId: id(message.sequenceId),
      };
    }
    case "ack":
      return {
        message: "ack",
        ackId: id(message.ackId),
        error: message.success ? null : (({ name, message }) => ({ name, message }))(message.error),
      };
    case "invokeResponse": {
      const { invocationId, dataType, data, error } = message;
      return {
        message: "invokeResponse",
        invocationId,
        dataType: dataType ?? null,
        data: dataType ? payload(data) : null,
        error: error ?? null,
      };
    }
    default:
      return { message: message.kind };
  }
}

const payload = (data) => (data instanceof ArrayBuffer ? Buffer.from(data).toString("hex") : data);

/** The vector's words as far as JavaScript's numbers can say them. */
function asNumbersAllow(expected) {
  const rounded = { ...expected };
  for (const name of ["ackId", "sequenceId"]) if (rounded[name]) rounded[name] = String(Number(rounded[name]));
  if (rounded.dataType === "json") rounded.data = JSON.parse(rounded.data);
  return rounded;
}

describe("Vectors of the JSON subprotocol in Microsoft's client", () => {
  test("the service's frames say to it what they should", () => {
    for (const { name, input, expected } of readVectors("client-json/downstream")) {
      assert.deepEqual(inWords(protocol.parseMessages(input)), asNumbersAllow(expected), name);
    }
  });

  test("what it writes is what the service reads", () => {
    const vectors = readVectors("client-json/upstream").filter(({ sdk }) => sdk);
    assert.ok(vectors.length > 5);
    for (const { name, input, sdk } of vectors) {
      assert.deepEqual(JSON.parse(String(protocol.writeMessage(sdk))), JSON.parse(input), name);
    }
  });
});
