// MQTT clients: what of them is here.
import { e2e, missing } from "./row.mjs";

const handshake = e2e("clients/handshake");

const NOT_BUILT = "Not built.";

export const mqtt = [
  {
    title: "MQTT: connecting",
    sources: [
      "docs/spec/mqtt.md#endpoint",
      "docs/spec/mqtt.md#framing",
      "docs/spec/mqtt.md#connect",
      "docs/spec/mqtt.md#connack",
      "docs/spec/mqtt.md#keep-alive",
      "docs/spec/mqtt.md#malformed-packets",
    ],
    rows: [
      missing(
        "MQTT 3.1.1 and 5.0 over WebSocket",
        "Not built: `/clients/mqtt/hubs/{hub}` is 404.",
        handshake("unknown paths get 404, asked for as a page or as a WebSocket", "/clients/mqtt/hubs/chat"),
      ),
      missing("Packets cut into WebSocket messages anywhere", NOT_BUILT),
      missing("What CONNECT is refused for, with its code", NOT_BUILT),
      missing("CONNACK says what is not supported", NOT_BUILT),
      missing("A silent client is closed after 1.5 times its keep-alive", NOT_BUILT),
      missing("Malformed packets get their reason and a close", NOT_BUILT),
    ],
  },
  {
    title: "MQTT: messages",
    sources: [
      "docs/spec/mqtt.md#words",
      "docs/spec/mqtt.md#subscriptions",
      "docs/spec/mqtt.md#publishing",
      "docs/spec/mqtt.md#refusals",
      "docs/spec/mqtt.md#payloads",
      "docs/spec/mqtt.md#delivery",
    ],
    rows: [
      missing("SUBSCRIBE joins groups, with a code for each filter", NOT_BUILT),
      missing("PUBLISH sends to groups, at QoS 0, 1 and 2", NOT_BUILT),
      missing("A bad message does not end the connection", NOT_BUILT),
      missing("JSON, protobuf and simple clients in one group with MQTT's", NOT_BUILT),
      missing("Receive Maximum, message expiry, subscription identifiers", NOT_BUILT),
    ],
  },
  {
    title: "MQTT: sessions",
    sources: ["docs/spec/mqtt.md#sessions", "docs/spec/mqtt.md#takeover", "docs/spec/mqtt.md#wills"],
    rows: [
      missing("Sessions are kept for up to 30 s", NOT_BUILT),
      missing("A second connection takes a session over", NOT_BUILT),
      missing("Wills, with a delay", NOT_BUILT),
    ],
  },
  {
    title: "MQTT: event handlers and REST",
    sources: [
      "docs/spec/mqtt.md#connect-event",
      "docs/spec/mqtt.md#event-headers",
      "docs/spec/mqtt.md#session-events",
      "docs/spec/mqtt.md#user-events",
      "docs/spec/mqtt.md#over-rest",
    ],
    rows: [
      missing("The `connect` handler decides, and its code reaches the client", NOT_BUILT),
      missing("`ce-sessionId` and `ce-physicalConnectionId`", NOT_BUILT),
      missing("`connected` and `disconnected` of sessions", NOT_BUILT),
      missing("User events and their answers", NOT_BUILT),
      missing("The REST API sees sessions", NOT_BUILT),
    ],
  },
];
