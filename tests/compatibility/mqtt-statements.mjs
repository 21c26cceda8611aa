// MQTT's own statements about servers, by their numbers, and the tests that show them.
//
// Every numbered statement of MQTT 5.0 and of 3.1.1 is here once, with the other version's beside it where both say the
// same. Those that clients have to keep have a row of their own. This file does not load if one is missing.
import { clients, differs, e2e, missing, native, row } from "./row.mjs";

/** @import { Row, ShownBy } from "./row.mjs" */

/** How many statements each section has, by the list at the end of each standard; 2.2.1 of 5.0 begins with its second. */
const SECTIONS_5 =
  "1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:2-6 2.2.2:1 3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 3.2.2:22 3.3.1:13 3.3.2:20 3.3.4:10 3.4.2:3 3.5.2:3 3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 3.8.4:8 3.9.2:2 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:4 3.14.4:3 3.15.1:1 3.15.2:3 4.1.0:2 4.2.0:1 4.3.1:1 4.3.2:5 4.3.3:13 4.4.0:2 4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3 4.12.0:7 4.12.1:2 4.13.1:1 4.13.2:1 6.0.0:4";
const SECTIONS_4 =
  "1.5.3:3 2.2.2:2 2.3.1:7 3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 3.3.4:1 3.3.5:2 3.6.1:1 3.8.1:1 3.8.3:4 3.8.4:6 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 3.14.1:1 3.14.4:3 4.1.0:2 4.3.1:1 4.3.2:2 4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 4.7.3:4 4.8.0:2 6.0.0:4 7.0.0:2 7.1.1:1 7.1.2:1";

/**
 * The numbers of a text such as `3.1.2:1,4-6 4.1.0:1`.
 * @param {string} text
 */
const numbersOf = (text) =>
  text
    .split(" ")
    .filter(Boolean)
    .flatMap((part) => {
      const [section, list] = part.split(":");
      return list.split(",").flatMap((range) => {
        const [from, to = from] = range.split("-").map(Number);
        return Array.from({ length: to - from + 1 }, (_, at) => `${section}-${from + at}`);
      });
    });

/**
 * Those of a table of sections, where a single number is the last.
 * @param {string} sections
 */
const all = (sections) => numbersOf(sections.replace(/:(\d+)(?= |$)/g, ":1-$1"));

/** @type {Record<number, string[]>} */
const seen = { 5: [], 4: [] };

/** @param {string} text */
const display = (text) =>
  text
    .split(" ")
    .map((part) => {
      const [section, list] = part.split(":");
      return list
        .split(",")
        .map((range) => `${section}-${range.replace("-", ` to ${section}-`)}`)
        .join(", ");
    })
    .join(", ");

/**
 * A row about these statements of 5.0 and of 3.1.1.
 * @template {unknown[]} More
 * @param {(feature: string, ...more: More) => Row} make
 * @param {string} of5
 * @param {string} of4
 * @param {string} words
 * @param {More} more
 */
function of(make, of5, of4, words, ...more) {
  seen[5].push(...numbersOf(of5));
  seen[4].push(...numbersOf(of4));
  const both = [of5 && display(of5), of4 && `3.1.1: ${display(of4)}`].filter(Boolean).join("; ");
  return make(`${words} (${both})`, ...more);
}

/** @param {[of5: string, of4: string, words: string, ...tests: ShownBy[]]} its */
const said = (...its) => of(row, ...its);
/** @param {[of5: string, of4: string, words: string, difference: string, ...tests: ShownBy[]]} its */
const ours = (...its) => of(differs, ...its);
/** @param {[of5: string, of4: string, words: string, reason: string, ...tests: ShownBy[]]} its */
const absent = (...its) => of(missing, ...its);
/** @param {[of5: string, of4: string, words: string, reason: string, ...tests: ShownBy[]]} its */
const duty = (...its) => of(clients, ...its);

const packets = e2e("mqtt/packets");
const devices = e2e("mqtt/devices");
const handlers = e2e("mqtt/handlers");
const vectors = native("mqtt", "tests/vectors");
const codec = native("mqtt", "tests/packets");
const property = native("mqtt", "src/property/tests");
const statements = native("shard", "tests/mqtt_statements");
const connecting = native("shard", "tests/mqtt_connect");
const sessions = native("shard", "tests/mqtt");
const time = native("shard", "tests/mqtt_time");
const delivery = native("shard", "tests/mqtt_delivery");
const wills = native("shard", "tests/mqtt_wills");
const events = native("shard", "tests/mqtt_events");

const read = vectors("every_packet_is_read_as_its_vector_says");
/** @param {...string} cases */
const unread = (...cases) => vectors("what_is_no_packet_has_the_reason_of_its_vector", ...cases);
/** @param {...string} cases */
const disconnects = (...cases) => packets("DISCONNECT says why: ${what}", ...cases);
/** @param {...string} cases */
const refused = (...cases) => packets("CONNECT is refused for ${what}", ...cases);
/** @param {...string} cases */
const isRefused = (...cases) => devices("is refused ${what}, and stays connected", ...cases);
const qos = devices("publishes and receives at QoS ${qos}");
const again = delivery("unacknowledged_messages_come_again_with_their_ids");
const once = delivery("a_message_of_qos_2_is_never_doubled");
const small = statements("no_packet_is_larger_than_its_client_takes");
const bare = statements("only_messages_connack_and_disconnect_have_properties");
const known = codec("clients_of_3_1_1_are_sent_what_they_know");

const NO_RETAINED = "The service retains nothing, and CONNACK of 5.0 says so.";
const NO_ALIASES = "The service has none: its maximum is 0.";

export const mqttStatements = [
  {
    title: "MQTT's statements: packets",
    sources: [
      "docs/spec/mqtt.md#malformed-packets",
      "docs/spec/mqtt.md#framing",
      "docs/spec/mqtt.md#pahos-interoperability-tests",
    ],
    rows: [
      said(
        "1.5.4:1",
        "1.5.3:1",
        "Text is UTF-8",
        unread("[MQTT-1.5.4-1] bytes that are no UTF-8, 5", "[MQTT-1.5.4-1] a surrogate in a topic, 4"),
        disconnects("text that is not UTF-8"),
      ),
      said("1.5.4:2 4.7.3:2", "1.5.3:2 4.7.3:2", "No U+0000 in it", unread("[MQTT-1.5.4-2] U+0000 in a topic, 5")),
      said(
        "1.5.4:3 4.7.3:4 3.10.4:1",
        "1.5.3:3 4.7.3:4 3.10.4:1",
        "Topics are compared as they stand, a byte order mark included",
        statements("topics_are_compared_character_by_character"),
      ),
      said(
        "1.5.5:1",
        "",
        "Lengths are as short as they can be",
        unread("[MQTT-1.5.5-1] a remaining length longer than it needs"),
      ),
      said("1.5.7:1", "", "Both texts of a user property", unread("[MQTT-1.5.7-1] a user property that is not UTF-8")),
      said(
        "2.1.3:1 3.6.1:1 3.8.1:1 3.10.1:1 3.14.1:1",
        "2.2.2:1,2 3.6.1:1 3.8.1:1 3.10.1:1 3.14.1:1",
        "Reserved flags are malformed, and end the connection",
        unread(
          "[MQTT-2.1.3-1] reserved flags of PINGREQ, 4",
          "[MQTT-3.6.1-1] flags of PUBREL, 5",
          "[MQTT-3.8.1-1] flags of SUBSCRIBE, 5",
          "[MQTT-3.10.1-1] flags of UNSUBSCRIBE, 5",
          "[MQTT-3.14.1-1] reserved flags of DISCONNECT, 5",
        ),
        statements("every_first_byte_is_answered_or_ends_the_connection"),
      ),
      said("2.2.1:2", "2.3.1:5", "No packet id at QoS 0", read),
      said(
        "2.2.1:3",
        "2.3.1:1",
        "A packet id is not 0",
        unread("[MQTT-2.2.1-3] packet id 0 of PUBLISH, 5", "[MQTT-2.2.1-3] packet id 0 of SUBSCRIBE, 4"),
        disconnects("a packet id of 0"),
      ),
      said(
        "2.2.1:4 4.3.2:1 4.3.3:1",
        "2.3.1:4",
        "A message to a client has a packet id that is free, and not 0",
        statements("packet_ids_go_round_and_are_never_0"),
      ),
      said(
        "2.2.1:5,6",
        "2.3.1:6,7",
        "Answers have the packet id of what they answer",
        packets("SUBACK has a code for each filter"),
        packets("UNSUBACK says whether there was a subscription"),
        sessions("a_publish_that_is_refused_leaves_the_connection_open"),
      ),
      duty("", "2.3.1:2,3", "New packet ids, and the same ones when a packet is sent again", "Of clients."),
      said("2.2.2:1", "", "Properties are there, if only their length", read),
      said(
        "4.13.1:1 4.13.2:1",
        "4.8.0:1",
        "What is malformed or out of place ends the connection, as does a code of 0x80 and above in CONNACK and DISCONNECT",
        sessions("malformed_packets_are_answered_and_close"),
        statements("every_first_byte_is_answered_or_ends_the_connection"),
      ),
      ours(
        "",
        "4.8.0:2",
        "A passing fault ends the connection",
        "What is too much for a moment is acknowledged and dropped: clients would repeat it without end.",
        packets("what is wrong with a message does not end it"),
      ),
      said(
        "6.0.0:1",
        "6.0.0:1",
        "Binary messages; text ends the connection",
        packets("a text message ends the connection"),
        connecting("what_is_not_connect_closes_without_connack"),
      ),
      said(
        "6.0.0:2 4.2.0:1",
        "6.0.0:2 7.1.1:1",
        "Packets are a stream of bytes, cut anywhere",
        packets("packets may be cut anywhere (${version})"),
        packets("several packets may be in one message (${version})"),
        codec("what_a_client_sends_is_read_in_any_cut"),
      ),
      said("6.0.0:3,4", "6.0.0:3,4", "The subprotocol is `mqtt`", packets("the upgrade needs the subprotocol mqtt")),
      absent(
        "",
        "7.0.0:1",
        "A server that connects to other servers is a client, too",
        "The service connects to none.",
      ),
      said("", "7.0.0:2", "No extension is needed", devices("connects with a token, as the connection of its id")),
      duty("", "7.1.2:1", "A client's transport", "Of clients."),
    ],
  },
  {
    title: "MQTT's statements: CONNECT",
    sources: ["docs/spec/mqtt.md#connect", "docs/spec/mqtt.md#wills", "docs/spec/mqtt.md#keep-alive"],
    rows: [
      said(
        "3.1.0:1",
        "3.1.0:1",
        "It comes first",
        packets("anything but CONNECT first ends the connection"),
        statements("every_first_byte_is_answered_or_ends_the_connection"),
      ),
      said("3.1.0:2", "3.1.0:2", "There is no second one", disconnects("a second CONNECT")),
      said(
        "3.1.2:1,2",
        "3.1.2:1,2",
        "Another protocol or version is refused",
        packets("other levels of the protocol are refused"),
        connecting("another_protocol_version_is_refused_in_its_own"),
      ),
      said(
        "3.1.2:3 3.1.4:1",
        "3.1.2:3 3.1.4:1",
        "One that is malformed ends the connection, in 3.1.1 without CONNACK",
        unread("[MQTT-3.1.2-3] the reserved flag"),
        statements("a_malformed_connect_has_a_code_in_5_0_and_none_in_3_1_1"),
      ),
      said(
        "3.1.2:4 3.1.4:4",
        "3.1.2:6 3.1.4:3",
        "Clean Start ends the session that is there, and a clean session its connection",
        handlers("only a session's begin and end are events"),
        statements("a_session_without_time_does_not_outlive_its_takeover"),
      ),
      said(
        "3.1.2:5,6,23",
        "3.1.2:4,5",
        "A session is resumed with what waits for it, or begun",
        devices("resumes its session with what it missed"),
        delivery("a_message_waits_for_a_client_that_is_absent"),
      ),
      absent("", "3.1.2:7", "Retained messages outlive sessions", NO_RETAINED),
      said(
        "3.1.2:7,8",
        "3.1.2:8",
        "A will is kept, and published when the connection ends",
        devices("leaves a will behind when its connection is cut"),
        wills("a_will_is_published_unless_the_client_says_goodbye"),
        wills("a_will_survives_a_crash_and_is_published_once"),
      ),
      said(
        "3.1.2:9,14 3.1.3:10",
        "3.1.2:9,16",
        "With its QoS and properties, in order, and not retained",
        unread("a will that is missing"),
        statements("a_will_is_published_as_its_client_wrote_it"),
      ),
      said(
        "3.1.2:10 3.14.4:3",
        "3.1.2:10,12 3.14.4:3",
        "A DISCONNECT of 0x00 takes it away",
        wills("a_will_is_published_unless_the_client_says_goodbye"),
        statements("a_disconnect_with_another_code_publishes_the_will"),
      ),
      said(
        "3.1.2:11,13",
        "3.1.2:11,13,15",
        "Without a will there are no flags of one",
        unread("[MQTT-3.1.2-11] a will's QoS without a will", "[MQTT-3.1.2-13] a will's retain flag without a will"),
      ),
      said("3.1.2:12", "3.1.2:14", "A will's QoS is 0 to 2", unread("[MQTT-3.1.2-12] a will of QoS 3")),
      absent(
        "3.1.2:15 3.2.2:13",
        "3.1.2:17",
        "Retained wills",
        "Refused with 0x9A in 5.0; in 3.1.1 published, not retained.",
        refused("a retained will"),
      ),
      said(
        "3.1.3:9 3.1.2:26,27",
        "",
        "A will does not come if the client is back in time; no topic aliases without a maximum",
        wills("a_will_may_wait_for_the_client_to_come_back"),
        statements("a_takeover_publishes_a_delayed_will_only_with_its_session"),
        bare,
      ),
      said(
        "3.1.2:16-19",
        "3.1.2:18-22",
        "User name and password are there as the flags say",
        read,
        unread(
          "[MQTT-3.1.2-17] a user name that is missing",
          "[MQTT-3.1.2-19] a password that is missing",
          "[MQTT-3.1.2-22] a password without a user name in 3.1.1",
        ),
      ),
      duty(
        "3.1.2:20,21 3.2.2:21",
        "3.1.2:23",
        "PINGREQ in time, by Server Keep Alive where there is one",
        "Of clients.",
      ),
      said(
        "3.1.2:22 3.2.2:22",
        "3.1.2:24",
        "A silent client is closed after 1.5 keep-alives",
        packets("a silent client is closed after its keep-alive"),
        packets("a silent client is closed where its shard sleeps"),
        packets("PINGREQ keeps a connection open"),
        time("a_client_is_given_up_after_one_and_a_half_keep_alives"),
        time("a_shard_that_sleeps_again_and_again_gives_a_client_up"),
      ),
      said(
        "3.1.2:24,25",
        "",
        "No packet is larger than the client takes; a message that would be counts as sent",
        small,
        delivery("a_packet_that_is_too_large_for_a_client_is_left_out"),
      ),
      said("3.1.2:28,29", "", "No Response Information; reasons in words in CONNACK and DISCONNECT only", bare),
      duty("3.1.2:30", "", "Only AUTH before CONNACK after an Authentication Method", "Of clients."),
      said(
        "3.1.3:1,3",
        "3.1.3:1,3",
        "The order of its fields",
        read,
        unread("a will that is missing", "bytes behind the last field"),
      ),
      said(
        "3.1.3:2",
        "3.1.3:2",
        "A client id stands for one session",
        connecting("a_second_client_with_the_id_takes_the_session_over"),
      ),
      said(
        "3.1.3:4,11,12",
        "3.1.3:4,10,11",
        "Client id, will topic and user name are text",
        unread(
          "[MQTT-3.1.3-4] a client id that is not UTF-8",
          "[MQTT-3.1.3-11] a will topic that is not UTF-8",
          "[MQTT-3.1.3-12] a user name that is not UTF-8",
        ),
      ),
      said(
        "3.1.3:5,8",
        "3.1.3:5,9",
        "Client ids of 1 to 23 letters and digits are taken (here 128), others refused",
        refused("an underscore in the client id", "a client id of 129 characters"),
        connecting("a_connect_that_breaks_a_rule_is_refused_with_its_code"),
      ),
      said(
        "3.1.3:6,7 3.2.2:16",
        "",
        "An empty one is assigned one in 5.0",
        packets("CONNACK says what is not there"),
        connecting("connack_says_what_the_service_lacks"),
      ),
      ours(
        "",
        "3.1.3:6,8",
        "An empty one in 3.1.1 may be assigned one with a clean session, else it is refused",
        "Refused with 2 in either case: the service assigns ids in 5.0 only.",
        packets("CONNECT of 3.1.1 needs an id and a keep-alive"),
      ),
      duty("", "3.1.3:7", "A clean session with an empty id", "Of clients."),
      said(
        "3.1.4:2",
        "",
        "Further rules, and the event handler's decision, end in a code and a close",
        refused("a will of 2001 bytes", "a blank will topic"),
        events("a_refusal_has_the_code_of_its_version"),
      ),
      said(
        "3.1.4:3",
        "3.1.4:2",
        "A second connection displaces the first",
        devices("displaces an older connection with its id"),
      ),
      said("3.1.4:5", "3.1.4:4", "CONNACK says success", devices("connects with a token, as the connection of its id")),
      said(
        "3.1.4:6",
        "3.1.4:5",
        "Nothing behind a refused CONNECT is carried out",
        statements("nothing_behind_a_refused_connect_is_carried_out"),
      ),
    ],
  },
  {
    title: "MQTT's statements: CONNACK, DISCONNECT, AUTH",
    sources: ["docs/spec/mqtt.md#connack", "docs/spec/mqtt.md#malformed-packets"],
    rows: [
      said(
        "3.2.0:1,2",
        "3.2.0:1",
        "CONNACK is the first packet, and the only one of its kind",
        packets("several packets may be in one message (${version})"),
        events("what_is_behind_connect_waits_for_the_handler"),
      ),
      said(
        "3.2.2:1",
        "",
        "It has no other flag than Session Present",
        packets("CONNACK of 3.1.1 is two bytes"),
        codec("what_the_service_sends_is_read_by_its_client"),
      ),
      said(
        "3.2.2:2,3",
        "3.2.2:1-3",
        "Session Present, if the session was there and no clean start was asked for",
        devices("resumes its session with what it missed"),
        connecting("a_second_client_with_the_id_takes_the_session_over"),
      ),
      duty("3.2.2:4,5", "", "What a client makes of Session Present", "Of clients."),
      said("3.2.2:6", "3.2.2:4", "Not in a refusal", codec("mqtt_3_2_2_6_a_refused_client_has_no_session")),
      said("3.2.2:7", "3.2.2:5", "A refused client is closed", refused("an underscore in the client id")),
      said("3.2.2:8", "", "Only CONNACK's own codes", events("a_refusal_has_the_code_of_its_version")),
      ours(
        "",
        "3.2.2:6",
        "Where no return code fits there is no CONNACK",
        "What is not allowed of keep-alives and wills has 5, and the close the reason: a client that is only cut off would try again.",
        packets("CONNECT of 3.1.1 needs an id and a keep-alive"),
        statements("a_refused_connect_is_closed_with_the_reason"),
      ),
      absent("3.2.2:9,10,12", "", "Maximum QoS", "All three are supported.", qos),
      duty("3.2.2:11,14,15,17,18", "", "Clients keep to what CONNACK says", "Of clients: what exceeds it is refused."),
      said("3.2.2:19,20", "", "No reason and no user property that makes CONNACK too large", small),
      said(
        "3.14.0:1",
        "",
        "No DISCONNECT before CONNACK",
        statements("a_malformed_connect_has_a_code_in_5_0_and_none_in_3_1_1"),
      ),
      said(
        "3.14.2:1,2",
        "",
        "DISCONNECT has one of its codes, and no Session Expiry Interval of the service",
        disconnects(),
        property("every_property_is_read_as_written"),
        unread("a reason code of servers in DISCONNECT"),
      ),
      said("3.14.2:3,4", "", "No reason and no user property that makes it too large", small),
      said(
        "3.14.4:1,2",
        "",
        "Nothing follows it but the close",
        disconnects("a second CONNECT"),
        sessions("malformed_packets_are_answered_and_close"),
      ),
      duty("", "3.14.4:1,2", "Nothing of a client follows it", "Of clients; what does is not looked at."),
      said(
        "3.15.1:1 3.15.2:1",
        "",
        "AUTH with other flags or codes",
        unread("[MQTT-3.15.1-1] reserved flags of AUTH", "[MQTT-3.15.2-1] a reason code that AUTH has not"),
      ),
      said(
        "4.12.0:1,6",
        "",
        "An Authentication Method is refused; without one there is no AUTH of the service",
        connecting("a_connect_that_breaks_a_rule_is_refused_with_its_code"),
        bare,
      ),
      absent(
        "3.15.2:2,3 4.12.0:2-5 4.12.1:1,2",
        "",
        "Enhanced authentication",
        "The service has no method.",
        disconnects("AUTH"),
      ),
      duty("4.12.0:7", "", "No AUTH without a method", "Of clients; it is a protocol error.", disconnects("AUTH")),
    ],
  },
  {
    title: "MQTT's statements: PUBLISH",
    sources: ["docs/spec/mqtt.md#publishing", "docs/spec/mqtt.md#delivery", "docs/spec/mqtt.md#refusals"],
    rows: [
      said(
        "3.3.1:1",
        "3.3.1:1",
        "DUP of what is sent again",
        packets("unacknowledged messages come again, in order"),
        again,
      ),
      said(
        "3.3.1:2 4.3.1:1",
        "3.3.1:2 4.3.1:1",
        "No DUP at QoS 0",
        unread("[MQTT-3.3.1-2] DUP at QoS 0, 5"),
        codec("a_fan_out_differs_by_packet_id_and_dup_only"),
      ),
      said(
        "3.3.1:3",
        "3.3.1:3",
        "The publisher's DUP goes no further",
        packets("a QoS 2 message is sent once for its packet id"),
        statements("a_packet_id_that_is_free_is_that_of_another_message"),
      ),
      said(
        "3.3.1:4",
        "3.3.1:4",
        "No QoS 3",
        disconnects("QoS 3"),
        packets("a malformed packet of 3.1.1 ends the connection"),
      ),
      absent(
        "3.3.1:5-7,9-11",
        "3.3.1:5-8,10,11",
        "Retained messages",
        NO_RETAINED,
        packets("what is wrong with a message does not end it"),
      ),
      said(
        "3.3.1:8,12",
        "3.3.1:9,12",
        "Nothing is retained, and what is delivered has no retain flag",
        statements("a_will_is_published_as_its_client_wrote_it"),
        devices("publishes and receives at QoS ${qos}"),
      ),
      absent("3.3.1:13", "", "Retain As Published", "What is retained is refused in 5.0, and has no flag from 3.1.1."),
      said(
        "3.3.2:1,2 4.7.0:1",
        "3.3.2:1,2 4.7.1:1",
        "A topic is text without wildcards",
        disconnects("a wildcard in a topic"),
        unread("[MQTT-1.5.4-1] bytes that are no UTF-8, 5"),
        sessions("what_no_acknowledgement_can_refuse_disconnects"),
      ),
      ours(
        "3.3.2:3",
        "3.3.2:3",
        "A message's topic matches the subscription",
        "Those of `$webpubsub/` come without one, as Azure has them.",
        statements("topics_are_compared_character_by_character"),
        sessions("servers_reach_mqtt_clients_on_a_topic_of_their_own"),
      ),
      said(
        "3.3.2:4,15-18,20",
        "",
        "Properties arrive as they were sent, in order",
        delivery("properties_survive_the_disk"),
        statements("a_will_is_published_as_its_client_wrote_it"),
        property("user_properties_keep_order_and_doubles"),
      ),
      said("3.3.2:5,6", "", "Message Expiry Interval", delivery("a_message_says_how_long_it_lives_on")),
      absent("3.3.2:7,12", "", "Topic aliases of clients", NO_ALIASES, disconnects("a topic alias")),
      duty("3.3.2:8-10", "", "A client's topic aliases", "Of clients; each is refused.", disconnects("a topic alias")),
      said("3.3.2:11", "", "The service sends no topic alias", bare),
      said(
        "3.3.2:13,14,19",
        "",
        "Response topic and content type are text, a response topic is a topic's name",
        unread(
          "[MQTT-3.3.2-13] a response topic that is not UTF-8",
          "[MQTT-3.3.2-14] a response topic with a wildcard",
          "[MQTT-3.3.2-14] a response topic of a will with a wildcard",
          "[MQTT-3.3.2-19] a content type that is not UTF-8",
        ),
      ),
      said(
        "3.3.4:1 4.3.2:4 4.3.3:8,11",
        "3.3.4:1 4.3.2:2",
        "Each QoS has its answers",
        qos,
        delivery("the_lower_qos_counts"),
      ),
      absent(
        "3.3.4:2,4,5",
        "3.3.5:1",
        "Overlapping subscriptions",
        "There are none without wildcards.",
        isRefused("a wildcard"),
      ),
      said(
        "3.3.4:3",
        "",
        "A subscription's identifier comes with its messages",
        packets("a subscription's identifier comes with its messages"),
        sessions("a_message_carries_the_identifier_of_its_subscription"),
      ),
      said(
        "3.3.4:6",
        "",
        "A client's message has none",
        unread("[MQTT-3.3.4-6] a subscription identifier in a client's PUBLISH"),
      ),
      duty("3.3.4:7,8", "", "The service's Receive Maximum", "Of clients; it is 65,535, which they cannot exceed."),
      said(
        "3.3.4:9,10 4.9.0:1-3",
        "",
        "No more than the client's Receive Maximum is under way; all else goes on",
        packets("no more is sent than Receive Maximum allows"),
        delivery("no_more_are_in_flight_than_the_client_wants"),
      ),
      said(
        "",
        "3.3.5:2",
        "What a client may not send is acknowledged, in 3.1.1 as a success",
        sessions("a_publish_that_is_refused_leaves_the_connection_open"),
      ),
      ours(
        "3.4.2:1 3.5.2:1",
        "",
        "PUBACK and PUBREC have one of their codes",
        "A retained message has 0x83 there, where 3.2.2.3.5 would have DISCONNECT 0x9A.",
        packets("what is wrong with a message does not end it"),
        unread("a reason code that PUBACK has not"),
      ),
      said(
        "3.6.2:1 3.7.2:1",
        "",
        "PUBREL and PUBCOMP, too",
        packets("PUBREL of an unknown packet id is no error"),
        unread("a reason code that PUBREL has not"),
      ),
      said(
        "3.4.2:2,3 3.5.2:2,3 3.6.2:2,3 3.7.2:2,3 3.9.2:1,2 3.11.2:1,2",
        "",
        "No acknowledgement grows above the client's Maximum Packet Size by words: none has any",
        bare,
      ),
    ],
  },
  {
    title: "MQTT's statements: QoS and sessions",
    sources: ["docs/spec/mqtt.md#publishing", "docs/spec/mqtt.md#delivery", "docs/spec/mqtt.md#sessions"],
    rows: [
      said(
        "4.1.0:1,2",
        "4.1.0:1,2",
        "A session is there for as long as its connection and its expiry interval, and no longer",
        delivery("a_session_ends_with_its_time"),
        delivery("disconnect_may_change_how_long_the_session_lasts"),
      ),
      said("4.3.2:2,3", "4.3.2:1", "QoS 1: unacknowledged until PUBACK", qos, again),
      said(
        "4.3.2:5",
        "",
        "After PUBACK the packet id is that of another message",
        statements("a_packet_id_that_is_free_is_that_of_another_message"),
      ),
      said("4.3.3:2-6", "4.3.3:1", "QoS 2: PUBREC, PUBREL, PUBCOMP, in order and not again", qos, once),
      said(
        "4.3.3:7,13",
        "",
        "One that was sent does not expire",
        statements("a_message_of_qos_2_that_was_sent_does_not_expire"),
      ),
      said(
        "4.3.3:9,10,12",
        "4.3.3:2",
        "A message of QoS 2 is sent once until PUBREL, and another one after it or after a refusal",
        packets("a QoS 2 message is sent once for its packet id"),
        delivery("a_repeated_publish_of_qos_2_is_sent_once"),
        statements("a_packet_id_that_is_free_is_that_of_another_message"),
      ),
      said(
        "4.4.0:1",
        "4.4.0:1",
        "What was not acknowledged comes again after a resumption, and at no other time",
        packets("unacknowledged messages come again, in order"),
        again,
        once,
      ),
      said(
        "4.4.0:2",
        "",
        "A refusal by the client is an acknowledgement",
        statements("a_client_may_refuse_what_it_is_sent"),
      ),
      said(
        "4.5.0:1",
        "4.5.0:1",
        "A message is added to the sessions that subscribe",
        delivery("a_message_waits_for_a_client_that_is_absent"),
      ),
      duty("4.5.0:2 4.6.0:1-4", "4.5.0:2", "Acknowledgements in order", "Of clients."),
      said(
        "4.6.0:5,6",
        "4.6.0:1-6",
        "Order, for each topic and QoS",
        packets("unacknowledged messages come again, in order"),
        delivery("no_more_are_in_flight_than_the_client_wants"),
        again,
      ),
    ],
  },
  {
    title: "MQTT's statements: subscriptions",
    sources: ["docs/spec/mqtt.md#subscriptions"],
    rows: [
      said(
        "3.8.3:1 3.10.3:1",
        "3.8.3:1 3.10.3:1",
        "Filters are text",
        unread(
          "[MQTT-3.8.3-1] a filter of SUBSCRIBE that is not UTF-8",
          "[MQTT-3.10.3-1] a filter of UNSUBSCRIBE that is not UTF-8",
        ),
      ),
      said(
        "3.8.3:2 3.10.3:2",
        "3.8.3:3 3.10.3:2",
        "There is at least one",
        disconnects("SUBSCRIBE without filters"),
        unread("[MQTT-3.8.3-2] no filter in SUBSCRIBE, 4", "[MQTT-3.10.3-2] no filter in UNSUBSCRIBE, 5"),
      ),
      said("3.8.3:3", "", "No Local", sessions("no_local_leaves_out_the_publisher")),
      said(
        "3.8.3:5",
        "3.8.3:4",
        "Reserved bits and QoS 3",
        unread("[MQTT-3.8.3-5] reserved options", "reserved options in 3.1.1", "QoS 3 in a subscription of 3.1.1"),
      ),
      said(
        "3.8.4:1,2,5-7 3.9.3:1,2",
        "3.8.4:1,2,4,5 3.9.3:1,2",
        "SUBACK has a code for each filter, in order",
        packets("SUBACK has a code for each filter"),
        sessions("a_subscription_is_judged_filter_by_filter"),
        known,
      ),
      said(
        "3.8.4:3",
        "3.8.4:3",
        "A filter that is there is replaced",
        statements("the_last_of_equal_filters_counts"),
        sessions("a_message_carries_the_identifier_of_its_subscription"),
      ),
      absent("3.8.4:4", "", "Retain Handling", NO_RETAINED),
      said(
        "3.8.4:8",
        "3.8.4:6",
        "The lower QoS",
        devices("receives at the subscription's QoS, nothing after leaving"),
        delivery("the_lower_qos_counts"),
      ),
      said(
        "3.10.4:2,3",
        "3.10.4:2,3",
        "UNSUBSCRIBE adds nothing more, and completes what was sent",
        statements("unsubscribing_completes_what_was_sent_and_adds_nothing"),
      ),
      said(
        "3.10.4:4-6 3.11.3:1,2",
        "3.10.4:4-6",
        "UNSUBACK comes in any case, with a code for each filter in 5.0",
        packets("UNSUBACK says whether there was a subscription"),
        sessions("a_subscription_is_judged_filter_by_filter"),
        known,
      ),
      said("3.12.4:1", "3.12.4:1", "PINGREQ gets PINGRESP", packets("PINGREQ keeps a connection open")),
      absent(
        "4.7.1:1,2 4.7.2:1",
        "3.8.3:2 4.7.1:2,3 4.7.2:1",
        "Wildcards",
        "Each such filter is refused, as 3.1.1 has it where there are none, and CONNACK of 5.0 says so.",
        isRefused("a wildcard", "a wildcard of one level"),
      ),
      said(
        "4.7.3:1",
        "4.7.3:1",
        "Topics and filters are not empty",
        unread("[MQTT-4.7.3-1] an empty filter, 4", "[MQTT-4.7.3-1] an empty topic, 5", "an empty topic of a will"),
      ),
      said(
        "4.7.3:3",
        "4.7.3:3",
        "Nor above 65,535 bytes: their length has two, and here they have 1024 characters",
        sessions("a_subscription_is_judged_filter_by_filter"),
      ),
      absent(
        "3.8.3:4 4.8.2:1-6",
        "",
        "Shared subscriptions",
        "Each is refused, and CONNACK says so.",
        isRefused("a shared subscription"),
      ),
    ],
  },
];

for (const [version, sections] of /** @type {[4 | 5, string][]} */ ([
  [5, SECTIONS_5],
  [4, SECTIONS_4],
])) {
  const [wanted, found] = [all(sections), seen[version]];
  const wrong = [
    ...wanted.filter((number) => !found.includes(number)).map((number) => `${number} is missing`),
    ...found
      .filter((number, at) => !wanted.includes(number) || found.indexOf(number) !== at)
      .map((n) => `${n} is not one`),
  ];
  if (wrong.length > 0) throw new Error(`MQTT's statements, level ${version}: ${wrong.join(", ")}`);
}
