// The protobuf subprotocols.
import { differs, e2e, native, row } from "./row.mjs";

const protobuf = e2e("clients/protobuf");
const codec = native("protocol", "tests/vectors_client_protobuf");
const simple = e2e("clients/simple");
const events = e2e("event-handlers/events");
const invocations = e2e("event-handlers/invoke")("of protobuf clients");
const { restSend, jsonVectors } = { restSend: e2e("rest/send"), jsonVectors: e2e("clients/json-vectors") };

/** @param {...string} names */
const accepted = (...names) => protobuf("every accepted frame is answered as its words say", ...names);
/** @param {...string} names */
const refused = (...names) => protobuf("an invalid message closes that ${name} connection with 1007", ...names);
/** @param {...string} names */
const written = (...names) => codec("every_frame_of_the_service_says_what_its_vector_says", ...names);
const conversion = protobuf("protobuf, JSON and simple clients receive from each other");
const membership = protobuf("a member receives until it leaves; acks come if asked for");
const states = e2e("clients/group-states")("protobuf clients set, subscribe and are shown like others");
/** @param {...string} names */
const read = (...names) => codec("every_frame_of_a_client_says_what_its_vector_says", ...names);

export const protobufClients = [
  {
    title: "Protobuf messages of clients",
    sources: ["docs/spec/protobuf.md#upstream-messages"],
    rows: [
      row(
        "`send_to_group_message` (1), with `ack_id`, `no_echo`, `ttl_seconds` and `metadata`",
        accepted(
          "send text without an echo",
          "send binary",
          "send JSON",
          "send an Any",
          "send with a time to live and metadata",
        ),
      ),
      row(
        "`event_message` (5)",
        events("a handler gets what a ${kind.name} client sends: ${dataType}"),
        accepted("an event", "an event with metadata"),
      ),
      row(
        "`join_group_message` (6), `leave_group_message` (7)",
        membership,
        accepted("join, no ack id", "join, ack id 1", "leave, ack id 2"),
      ),
      row("`sequence_ack_message` (8)", protobuf("reliable clients get numbered messages"), accepted("a sequence ack")),
      row("`ping_message` (9)", protobuf("pings are answered")),
      row(
        "`invoke_event_message` (10), `cancel_invocation_message` (11)",
        invocations,
        accepted("an invocation", "an invocation with metadata", "the end of an invocation"),
      ),
      row(
        "`stream` in `send_to_group_message`, `stream_data_message` (13), `stream_end_message` (14)",
        e2e("clients/streams")("protobuf clients publish and receive streams"),
        codec("every_frame_of_a_client_says_what_its_vector_says"),
        refused("data of a stream without an id", "the end of a stream without an id"),
      ),
      row(
        "`set_group_state_message` (15) and the subscription to group states (16, 17)",
        states,
        read("a group state that is set", "a subscription to a group's states"),
      ),
    ],
  },
  {
    title: "Messages to protobuf clients",
    sources: ["docs/spec/protobuf.md#downstream-messages"],
    rows: [
      row(
        "`ack_message` (1), with `error` where it failed",
        membership,
        protobuf("what is not allowed is refused in the ack"),
        written("an ack", "a failed ack"),
      ),
      row("`data_message` (2) from a group, without its sender", membership, written("a text to a group, numbered")),
      row(
        "`data_message` (2) from a server",
        protobuf("a server's messages of every type arrive"),
        written("JSON from a server", "binary from a server"),
      ),
      row("`sequence_id` on reliable connections", protobuf("reliable clients get numbered messages")),
      row("`metadata`", protobuf("metadata arrives as it was sent")),
      row(
        "`connected_message` first, with `reconnection_token` on reliable connections",
        protobuf("both subprotocols are echoed; the first frame names a client"),
        written("connected", "connected, recoverable", "connected, anonymous"),
      ),
      row(
        "`disconnected_message`, whose reason is field 2",
        protobuf("a server that closes a connection says why"),
        written("disconnected"),
      ),
      row("`pong_message` (4)", protobuf("pings are answered"), written("a pong")),
      row(
        "`invoke_response_message` (5)",
        invocations,
        written("the answer to an invocation", "the answer to an invocation that failed"),
      ),
      row(
        "`stream_ack_message` (6), `stream_nack_message` (7), `stream_closed_message` (8)",
        e2e("clients/streams")("protobuf clients publish and receive streams"),
        written("an ack of a stream", "a nack of a stream", "a stream closed for a reason"),
      ),
      row(
        "`group_state_update_message` (9), `group_state_snapshot_message` (10)",
        states,
        written("a snapshot of a group's states", "an update that clears a group's state"),
      ),
    ],
  },
  {
    title: "Protobuf as others wrote it",
    sources: ["docs/spec/protobuf.md#older-schemas"],
    rows: [
      row(
        "Ids are 64-bit varints",
        accepted("an ack id may be the largest 64-bit number", "a number may be written longer than it needs"),
      ),
      row("JSON is `json_data`", conversion),
      row(
        "A message in several parts is merged, an `Any` too",
        accepted(
          "a message in two parts",
          "a payload in two parts, of which the last member counts",
          "an Any in two parts",
          "a message after another one, of which nothing is left",
        ),
      ),
      row(
        "Unknown fields of every wire type are ignored, groups too",
        accepted("an unknown field that is a group", "an unknown group in a message"),
        refused("a group without an end", "the end of a group that is not open", "groups that are too deep"),
      ),
      row(
        "A field of another wire type than its number has is an unknown one",
        accepted(
          "an ack id that is a string, which is an unknown field",
          "metadata that is a number, which is an unknown field",
          "a message in two parts, one of them a number",
        ),
        refused("a message that is a number", "join of a group that is a number"),
      ),
      row(
        "Unknown fields are ignored, and of what stands there twice the last counts",
        accepted(
          "unknown fields are ignored",
          "of a field that stands there twice the last one counts",
          "of two payloads the last one counts",
        ),
      ),
      row(
        "Only groups have streams: one in an event or an invocation is invalid",
        refused("the start of a stream by an event", "an invocation that opens a stream"),
      ),
    ],
  },
  {
    title: "Protobuf behaviour",
    sources: ["docs/spec/protobuf.md#encoding"],
    rows: [
      row("A text frame closes with 1003", protobuf("a text frame closes a ${name} connection with 1003")),
      differs(
        "Every text frame does",
        'The text `{"type":"ping"}`, to the letter, is answered with `{"type":"pong"}` by the platform.',
        simple("like all others get the platform's pong for a text ping"),
      ),
      row(
        "What cannot be decoded closes with 1007",
        refused("a message that is cut off", "a tag that is cut off", "a JSON message"),
      ),
      row(
        "An empty frame, or one without a message, closes with 1007",
        refused("an empty frame", "a frame without a message"),
      ),
      row(
        "Invalid names close with 1007",
        refused("join without a group", "join of a blank group", "an event with a name that is none"),
      ),
      row("`ttl_seconds` above 300 closes with 1007", refused("a time to live of 301 seconds")),
      row(
        "Invalid metadata closes with 1007",
        refused("metadata without a key", "metadata with a key that is no token", "metadata with a value beyond ASCII"),
      ),
      row("More than 1 MiB closes with 1009", protobuf("1 MiB is delivered whole, and one byte more closes with 1009")),
      row(
        "No data closes with 1007, unless there is metadata: then it is empty text",
        refused(
          "send without data",
          "send without a payload",
          "an event without data",
          "an event with metadata beside an empty payload",
        ),
        accepted("no data beside metadata is empty text"),
      ),
      row(
        "Data that is there and empty is data",
        accepted("an empty text is a payload", "so are no bytes", "so is an empty Any"),
      ),
      row(
        "`ack_id` 0 is an ack id, none is none",
        protobuf("an ack id of 0 is one, and an ack id counts once"),
        accepted("join, ack id 0"),
      ),
      row(
        "Keys of metadata keep their case",
        accepted("an event with metadata"),
        protobuf("metadata arrives as it was sent"),
      ),
      row("Text, JSON, binary and `Any` between protobuf, JSON and simple clients", conversion),
      row("An `Any` keeps its bytes", conversion, accepted("an unknown field of an Any is kept")),
      row(
        "A JSON client may publish an `Any`",
        conversion,
        jsonVectors("every accepted frame is answered as its words say", "sendToGroup of a protobuf Any"),
      ),
      row(
        "A server may not (415)",
        restSend("other content types get 415, and nothing is sent", "application/x-protobuf"),
      ),
      row(
        "Acks, permissions and numbers as for JSON clients",
        protobuf("an ack id of 0 is one, and an ack id counts once"),
        protobuf("what is not allowed is refused in the ack"),
        protobuf("reliable clients get numbered messages"),
      ),
      row(
        "A recovery sends again what was not acknowledged, byte for byte, and no `connected_message`",
        protobuf("a recovery resends the unacknowledged, the missed, the new"),
        e2e("reliability/recovery")("the reliable protobuf subprotocol recovers as well"),
      ),
    ],
  },
  {
    title: "Wire vectors",
    sources: ["docs/spec/protobuf.md#vectors"],
    rows: [
      row(
        "1 to 12: messages of clients",
        accepted(
          "join, ack id 0",
          "join, no ack id",
          "join, ack id 1",
          "leave, ack id 2",
          "send text without an echo",
          "send binary",
          "send JSON",
          "send an Any",
          "send with a time to live and metadata",
          "an event",
          "a sequence ack",
          "a ping",
        ),
      ),
      row("13 and 14: invocations", accepted("an invocation", "the end of an invocation")),
      row(
        "15 to 24: messages of the service",
        written(
          "an ack",
          "a failed ack",
          "an ack of what was done before",
          "a text to a group, numbered",
          "JSON from a server",
          "binary from a server",
          "connected",
          "connected, recoverable",
          "disconnected",
          "a pong",
        ),
      ),
      row("25: the answer to an invocation", written("the answer to an invocation")),
      row(
        "26: an `Any` by itself",
        conversion,
        codec("every_any_is_kept_and_nothing_else_is_taken_for_one", "a StringValue"),
      ),
    ],
  },
];
