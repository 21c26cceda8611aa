// MQTT's own statements about servers, by their numbers, and the tests that show them.
//
// Numbers are of MQTT 5.0; a number with `3.1.1:` before it is of MQTT 3.1.1, named where that version says it in another
// place or differently. Statements about clients, and about transports other than WebSocket, are not here.
import { differs, e2e, missing, row } from "./row.mjs";

const packets = e2e("mqtt/packets");
const devices = e2e("mqtt/devices");
const handlers = e2e("mqtt/handlers");

const disconnects = (...cases) => packets("DISCONNECT says why: ${what}", ...cases);
const refused = (...cases) => packets("CONNECT is refused for ${what}", ...cases);
const qos = devices("publishes and receives at QoS ${qos}");

export const mqttStatements = [
  {
    title: "MQTT's statements: packets",
    sources: ["docs/spec/mqtt.md#malformed-packets"],
    rows: [
      row("1.5.4-1, 1.5.4-2: text is UTF-8 without U+0000", disconnects("text that is not UTF-8")),
      row("1.5.5-1: lengths are of four bytes at most", disconnects("a length of five bytes")),
      row("2.1.3-1: reserved flags are malformed", disconnects("reserved flags of SUBSCRIBE")),
      row("2.2.1-2, 2.2.1-3: packet ids are there, and are not 0", disconnects("a packet id of 0")),
      row(
        "2.2.2-1: properties are there, if only their length",
        packets("UNSUBACK says whether there was a subscription"),
      ),
      row(
        "4.13.1-1: a malformed packet ends the connection",
        packets("a malformed packet of 3.1.1 ends the connection"),
      ),
      row(
        "6.0.0-1 to 6.0.0-4: binary messages, cut anywhere, subprotocol mqtt",
        packets("packets may be cut anywhere (${version})"),
        packets("several packets may be in one message (${version})"),
        packets("a text message ends the connection"),
        packets("the upgrade needs the subprotocol mqtt"),
      ),
    ],
  },
  {
    title: "MQTT's statements: connecting",
    sources: ["docs/spec/mqtt.md#connect", "docs/spec/mqtt.md#connack"],
    rows: [
      row("3.1.0-1: the first packet is CONNECT", packets("anything but CONNECT first ends the connection")),
      row("3.1.0-2: there is no second one", disconnects("a second CONNECT")),
      row("3.1.2-1: another protocol's name closes", packets("anything but CONNECT first ends the connection")),
      row("3.1.2-2: another version is refused", packets("other levels of the protocol are refused")),
      row(
        "3.1.2-4, 3.1.4-4: Clean Start ends the session that is there",
        handlers("only a session's begin and end are events"),
      ),
      row(
        "3.1.2-5, 3.2.2-2, 3.2.2-3: a session is resumed, and CONNACK says so",
        devices("resumes its session with what it missed"),
      ),
      row(
        "3.1.2-8: a will is published when the connection ends",
        devices("leaves a will behind when its connection is cut"),
      ),
      row("3.1.2-10: a will goes with DISCONNECT", devices("leaves a will behind when its connection is cut")),
      row(
        "3.1.2-22: a silent client is closed after 1.5 keep-alives",
        packets("a silent client is closed after its keep-alive"),
        packets("PINGREQ keeps a connection open"),
      ),
      differs(
        "3.1.3-5: client ids of 1 to 23 letters and digits; 3.1.3-8: others are refused",
        "Letters and digits up to 128 as the service has it; no other characters.",
        refused("an underscore in the client id", "a client id of 129 characters"),
      ),
      row("3.1.3-6, 3.1.3-7, 3.2.2-16: an empty id is assigned one", packets("CONNACK says what is not there")),
      differs(
        "3.1.1: 3.1.3-7, 3.1.3-8: an empty id with a clean session is assigned one",
        "Refused with 2: the service assigns ids in 5.0 only.",
        packets("CONNECT of 3.1.1 needs an id and a keep-alive"),
      ),
      row(
        "3.1.4-1, 3.1.4-2: what is wrong with CONNECT has its code",
        refused("a will of 2001 bytes", "a blank will topic"),
      ),
      row("3.1.4-3: a second connection displaces the first", devices("displaces an older connection with its id")),
      row(
        "3.1.4-5, 3.2.0-1: CONNACK is the first packet",
        packets("several packets may be in one message (${version})"),
      ),
      row("3.2.2-1: only Session Present among the flags of CONNACK", packets("CONNACK of 3.1.1 is two bytes")),
      row("3.2.2-7: a refused client is closed", refused("an underscore in the client id")),
      row("3.2.2-13: a retained will is refused with 0x9A", refused("a retained will")),
      row("3.2.2-21: Server Keep Alive counts", packets("CONNACK says what is not there")),
    ],
  },
  {
    title: "MQTT's statements: messages",
    sources: ["docs/spec/mqtt.md#publishing", "docs/spec/mqtt.md#delivery", "docs/spec/mqtt.md#subscriptions"],
    rows: [
      row(
        "3.3.1-1 to 3.3.1-3: DUP of a repeated message, not of the publisher's",
        packets("unacknowledged messages come again, in order"),
      ),
      row("3.3.1-4: QoS 3 is malformed", disconnects("QoS 3")),
      missing(
        "3.3.1-5 to 3.3.1-11: retained messages",
        "The service has none, and says so in CONNACK.",
        packets("what is wrong with a message does not end it"),
      ),
      row("3.3.2-2: no wildcards in a topic", disconnects("a wildcard in a topic")),
      missing(
        "3.3.2-7 to 3.3.2-12: topic aliases",
        "The service has none: its maximum is 0.",
        disconnects("a topic alias"),
      ),
      row(
        "3.3.2-4, 3.3.2-15 to 3.3.2-20: properties arrive as they were sent",
        handlers("the middleware answers events with its state kept"),
      ),
      row(
        "3.3.4-1, 4.3.1-1 to 4.3.3-12: QoS 0, 1 and 2",
        qos,
        packets("a QoS 2 message is sent once for its packet id"),
      ),
      row(
        "3.3.4-2 to 3.3.4-5: the subscription's identifier",
        packets("a subscription's identifier comes with its messages"),
      ),
      row("3.3.4-9: Receive Maximum of the client", packets("no more is sent than Receive Maximum allows")),
      row("3.8.3-1, 3.8.3-2: SUBSCRIBE has filters", disconnects("SUBSCRIBE without filters")),
      row(
        "3.8.4-1, 3.8.4-6, 3.9.3-1: SUBACK has a code for each filter, in order",
        packets("SUBACK has a code for each filter"),
      ),
      row("3.8.4-8: the lower QoS", devices("receives at the subscription's QoS, nothing after leaving")),
      row(
        "3.10.4-1, 3.10.4-4, 3.11.3-1: UNSUBACK has a code for each filter",
        packets("UNSUBACK says whether there was a subscription"),
      ),
      row("3.12.4-1: PINGREQ gets PINGRESP", packets("PINGREQ keeps a connection open")),
      row(
        "4.4.0-1: what was not acknowledged comes again after a resumption",
        packets("unacknowledged messages come again, in order"),
      ),
      row("4.6.0-5, 4.6.0-6: order", packets("unacknowledged messages come again, in order"), qos),
      missing(
        "4.7.1-1 to 4.7.1-3: wildcards",
        "The service has none, and says so in CONNACK.",
        devices("is refused ${what}, and stays connected", "a wildcard", "a wildcard of one level"),
      ),
      missing(
        "4.8.2-1 to 4.8.2-6: shared subscriptions",
        "The service has none, and says so in CONNACK.",
        devices("is refused ${what}, and stays connected", "a shared subscription"),
      ),
      missing("4.12.0-1 to 4.12.1-2: enhanced authentication", "The service has none.", disconnects("AUTH")),
    ],
  },
];
