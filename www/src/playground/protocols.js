// The six ways in which a client can speak, and what the log reads in their frames.

/** The client package, which is served beside the page and loaded when a client first connects. */
export const loadClient = () => import("/client/index.js");

const json = async (name) => (await loadClient())[name]();

/** Made by the package's module for protobuf, which is loaded when one of these is first chosen. */
const protobuf = async (name) => (await import("/client/protobuf.js"))[name]();

/** The subprotocol of MQTT, whose clients have URLs of their own. */
export const MQTT = "mqtt";

/** @type {{ id: string, words: string, make?: () => any }[]} */
export const protocols = [
  {
    id: "json.reliable.webpubsub.azure.v1",
    words: "JSON, reliable",
    make: () => json("WebPubSubJsonReliableProtocol"),
  },
  { id: "json.webpubsub.azure.v1", words: "JSON", make: () => json("WebPubSubJsonProtocol") },
  {
    id: "protobuf.reliable.webpubsub.azure.v1",
    words: "Protobuf, reliable",
    make: () => protobuf("WebPubSubProtobufReliableProtocol"),
  },
  { id: "protobuf.webpubsub.azure.v1", words: "Protobuf", make: () => protobuf("WebPubSubProtobufProtocol") },
  { id: MQTT, words: "MQTT 5.0" },
  { id: "", words: "Bare WebSocket" },
];

/** What a message has beside what the client's own calls can say: a time to live, and metadata. */
export class Extras {
  #byAckId = new Map();

  /** Without an ack id they are for the next messages that have none. */
  set(ackId, extras) {
    this.#byAckId.set(ackId, extras);
    // The service remembers the last 1,000 ids; what is older is not sent again.
    if (this.#byAckId.size > 1000) this.#byAckId.delete(this.#byAckId.keys().next().value);
  }

  /** The message with what was set for its ack id. */
  addTo(message) {
    const extras = ["sendToGroup", "sendEvent"].includes(message.kind) && this.#byAckId.get(message.ackId);
    return extras ? { ...message, ...extras } : message;
  }
}

/** A protocol that adds extras to messages, and remembers what frames of bytes were written for. */
export function withExtras(protocol, extras, written) {
  return {
    name: protocol.name,
    isReliableSubProtocol: protocol.isReliableSubProtocol,
    load: async () => protocol.load?.(),
    parseMessages: (frame) => protocol.parseMessages(frame),
    writeMessage(message) {
      const complete = extras.addTo(message);
      const frame = protocol.writeMessage(complete);
      if (typeof frame !== "string") written.set(frame, complete);
      return frame;
    },
  };
}
