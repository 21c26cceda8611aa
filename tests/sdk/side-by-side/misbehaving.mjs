// A service that does not keep to the protocol: what a client makes of it.

/**
 * Frames after which the connection must still be good for an operation.
 * @type {[string, object][]}
 */
const FRAMES = [
  ["a type that is not known", { type: "tomorrow", data: 1 }],
  ["a system event that is not known", { type: "system", event: "tomorrow" }],
  ["an ack of nothing", { type: "ack", ackId: 4711, success: true }],
  ["a failed ack of nothing", { type: "ack", ackId: 4711, success: false, error: { name: "Forbidden" } }],
  ["an answer to no invocation", { type: "invokeResponse", invocationId: "none", success: true }],
  ["a pong that was not asked for", { type: "pong" }],
  ["a message from nowhere", { type: "message", from: "tomorrow", dataType: "text", data: "x" }],
];

/** @type {import("./scenarios.mjs").Scenario[]} */
export const misbehaving = [
  ...FRAMES.map(([kind, frame]) => ({
    name: kind,
    async run(side) {
      const { connection } = await side.scriptConnected();
      connection.say(frame);
      await side.call("joinGroup", "room");
      connection.say({ type: "message", from: "server", dataType: "text", data: "after" });
      await side.event("server-message");
    },
  })),
  {
    name: "an ack without an error",
    async run(side) {
      const { service } = await side.scriptConnected();
      service.answer = (connection, { ackId }) => connection.say({ type: "ack", ackId, success: false });
      await side.call("joinGroup", "room");
    },
  },
  {
    name: "an ack with an error that has no message",
    differs: "`errorDetail.message` is an empty text where the service gave none",
    async run(side) {
      const { service } = await side.scriptConnected();
      service.answer = (connection, { ackId }) =>
        connection.say({ type: "ack", ackId, success: false, error: { name: "Odd" } });
      await side.call("joinGroup", "room");
    },
  },
  {
    name: "an operation that is tried again",
    async run(side) {
      const { service } = await side.scriptConnected({ messageRetryOptions: { maxRetries: 2, retryDelayInMs: 1 } });
      let times = 0;
      service.answer = (connection, message) => {
        side.note("asked", message);
        if (++times < 3) connection.refuse(message.ackId, "InternalServerError");
        else connection.ack(message.ackId);
      };
      await side.call("joinGroup", "room");
    },
  },
  {
    name: "an operation that fails each time",
    async run(side) {
      const { service } = await side.scriptConnected({ messageRetryOptions: { maxRetries: 2, retryDelayInMs: 1 } });
      service.answer = (connection, message) => {
        side.note("asked", message);
        connection.refuse(message.ackId, "InternalServerError");
      };
      await side.call("sendToGroup", "room", "x", "text");
    },
  },
  {
    name: "an invocation that fails, with words and without",
    async run(side) {
      const { service } = await side.scriptConnected();
      /** @type {{ name: string, message: string } | undefined} */
      let error = { name: "BadRequest", message: "No." };
      service.answer = (connection, { invocationId }) =>
        connection.say({ type: "invokeResponse", invocationId, success: false, ...(error && { error }) });
      await side.call("invokeEvent", "price", "x", "text");
      error = undefined;
      await side.call("invokeEvent", "price", "x", "text");
    },
  },
  {
    name: "messages that come twice, and with a gap",
    only: "reliable JSON",
    async run(side) {
      const { connection } = await side.scriptConnected();
      const say = (sequenceId) =>
        connection.say({ type: "message", from: "server", dataType: "text", data: `${sequenceId}`, sequenceId });
      for (const sequenceId of [1, 2, 2, 1, 5]) say(sequenceId);
      for (let n = 0; n < 3; n++) await side.event("server-message");
      await side.call("joinGroup", "room");
    },
  },
];
