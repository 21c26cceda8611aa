// MQTT clients.
import { differs, e2e, missing, native, row, testsOf } from "./row.mjs";

const [devices, packets, handlers, tokens] = [
  "mqtt/devices",
  "mqtt/packets",
  "mqtt/handlers",
  "rest/generate-token",
].map(e2e);
const [connecting, sessions, time, delivery, wills, events, limits, statements, texts] = [
  "mqtt_connect",
  "mqtt",
  "mqtt_time",
  "mqtt_delivery",
  "mqtt_wills",
  "mqtt_events",
  "mqtt_limits",
  "mqtt_statements",
  "mqtt_texts",
].map((file) => native("shard", `tests/${file}`));
const strangers = e2e("mqtt/strangers");
const [server, python] = ["microsoft-server", "python"].map((name) => testsOf(`tests/sdk/${name}.test.mjs`));
const kills = testsOf("tests/chaos/devices.test.mjs");
const simulated = native("testkit", "tests/simulation");

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
      row(
        "MQTT 3.1.1 and 5.0 at `/clients/mqtt/hubs/{hub}`: MQTT.js, paho-mqtt, aiomqtt, amqtt and rumqttc, unmodified",
        devices("connects with a token, as the connection of its id"),
      ),
      row(
        "A token of other clients does not open it, nor one of MQTT's the others",
        devices("is refused with a token for other clients"),
        tokens("the audience names the hub in lower case and its path"),
      ),
      row("The subprotocol `mqtt` is needed, and named", packets("the upgrade needs the subprotocol mqtt")),
      row(
        "Packets cut into WebSocket messages anywhere",
        packets("packets may be cut anywhere (${version})"),
        packets("several packets may be in one message (${version})"),
        sessions("packets_may_come_a_byte_at_a_time_or_all_at_once"),
      ),
      row(
        "What CONNECT is refused for, with its code",
        packets("CONNECT is refused for ${what}"),
        strangers("a refused client of 3.1.1 is closed with the reason"),
        connecting("a_connect_that_breaks_a_rule_is_refused_with_its_code"),
        connecting("another_protocol_version_is_refused_in_its_own"),
      ),
      differs(
        "Client ids of 1 to 128 letters and digits, assigned in 5.0 where empty",
        "MQTT.js and amqtt make ids with other characters, which are refused as the documents say: name one.",
        devices("is refused with an id that is not allowed"),
        packets("CONNECT of 3.1.1 needs an id and a keep-alive"),
        strangers("a client id is not that of another connection"),
        connecting("a_client_id_is_not_that_of_another_connection"),
      ),
      row(
        "CONNACK says what is not supported",
        packets("CONNACK says what is not there"),
        connecting("connack_says_what_the_service_lacks"),
      ),
      row(
        "CONNECT has 30 s, as has a packet that has begun",
        time("connect_has_thirty_seconds"),
        time("a_packet_that_has_begun_ends_within_thirty_seconds"),
      ),
      row(
        "A silent client is closed after 1.5 times its keep-alive",
        packets("a silent client is closed after its keep-alive"),
        packets("a silent client is closed where its shard sleeps"),
        packets("PINGREQ keeps a connection open"),
        time("a_client_is_given_up_after_one_and_a_half_keep_alives"),
        time("a_shard_that_sleeps_again_and_again_gives_a_client_up"),
      ),
      row(
        "Malformed packets get their reason and a close",
        packets("DISCONNECT says why: ${what}"),
        packets("a malformed packet of 3.1.1 ends the connection"),
        strangers("each packet before CONNECT ends the connection"),
        strangers("${type} of a client is answered, or ends the connection"),
        sessions("malformed_packets_are_answered_and_close"),
      ),
      missing("Client certificates", "No certificate reaches the service: TLS ends before it."),
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
      row(
        "SUBSCRIBE joins groups, with a code for each filter; UNSUBSCRIBE leaves them",
        packets("SUBACK has a code for each filter"),
        packets("UNSUBACK says whether there was a subscription"),
        sessions("a_subscription_is_judged_filter_by_filter"),
      ),
      row("Permissions, topic by topic", devices("may do only what its roles allow")),
      row(
        "Wildcards and shared subscriptions are refused with their codes, retained messages and topic aliases too",
        devices("is refused ${what}, and stays connected"),
        sessions("what_no_acknowledgement_can_refuse_disconnects"),
      ),
      row("QoS 0, 1 and 2", devices("publishes and receives at QoS ${qos}")),
      row(
        "The lower QoS counts",
        devices("receives at the subscription's QoS, nothing after leaving"),
        delivery("the_lower_qos_counts"),
      ),
      row(
        "A QoS 2 message is sent once, and received once",
        packets("a QoS 2 message is sent once for its packet id"),
        delivery("a_repeated_publish_of_qos_2_is_sent_once"),
        delivery("a_message_of_qos_2_is_never_doubled"),
      ),
      differs(
        "What is wrong with one message does not end the connection",
        "MQTT would have DISCONNECT for a retained message; clients would repeat it without end.",
        packets("what is wrong with a message does not end it"),
        sessions("a_publish_that_is_refused_leaves_the_connection_open"),
      ),
      row(
        "JSON, protobuf and simple clients in one group with MQTT's",
        devices("shares a group with JSON, protobuf and simple clients"),
        sessions("clients_of_every_protocol_share_a_group"),
        devices("shows its payload's type and its user properties to others"),
        sessions("payloads_are_what_they_say"),
      ),
      row(
        "Receive Maximum and Maximum Packet Size of the client",
        packets("no more is sent than Receive Maximum allows"),
        delivery("no_more_are_in_flight_than_the_client_wants"),
        strangers("at Receive Maximum 1 all arrives, one after the other"),
        strangers("a client that takes 64 bytes is sent no more"),
        delivery("a_packet_that_is_too_large_for_a_client_is_left_out"),
        statements("no_packet_is_larger_than_its_client_takes"),
      ),
      row(
        "What other protocols may say and MQTT may not: U+0000, and groups whose names are no topics",
        texts("metadata_comes_without_the_character_0"),
        texts("a_reason_comes_without_the_character_0"),
        texts("a_group_that_is_no_topic_reaches_no_mqtt_client"),
      ),
      row(
        "Floods, slow readers and thousands of packets in one message are bounded",
        strangers("thousands of packets may be in one message (${version})"),
        limits("what_waits_to_be_read_is_bounded"),
        limits("what_waits_counts_with_its_properties"),
        limits("what_came_before_the_end_is_carried_out"),
        limits("a_client_that_reads_too_little_is_closed"),
        limits("packet_ids_that_are_not_released_are_bounded"),
      ),
      row(
        "Of the topics of `$webpubsub/` only the service's own are there",
        strangers("of the topics of the service only its own are there"),
      ),
      row("Message Expiry Interval", delivery("a_message_says_how_long_it_lives_on")),
      row(
        "Subscription identifiers, No Local",
        packets("a subscription's identifier comes with its messages"),
        sessions("a_message_carries_the_identifier_of_its_subscription"),
        sessions("no_local_leaves_out_the_publisher"),
      ),
    ],
  },
  {
    title: "MQTT: sessions",
    sources: ["docs/spec/mqtt.md#sessions", "docs/spec/mqtt.md#takeover", "docs/spec/mqtt.md#wills"],
    rows: [
      row(
        "A session is kept for up to 30 s, with what its client missed",
        devices("resumes its session with what it missed"),
        delivery("a_message_waits_for_a_client_that_is_absent"),
        delivery("a_session_ends_with_its_time"),
      ),
      row(
        "Unacknowledged messages come again with DUP and their packet ids",
        packets("unacknowledged messages come again, in order"),
        delivery("unacknowledged_messages_come_again_with_their_ids"),
        delivery("after_a_crash_what_was_never_sent_has_dup_too"),
      ),
      row(
        "A crash loses nothing that was acknowledged at QoS 1 and 2, and doubles nothing of QoS 2",
        kills("QoS 1 is never lost and QoS 2 never doubled by a kill"),
        simulated("a_thousand_hubs_keep_their_promises_through_all_faults"),
      ),
      row("DISCONNECT changes how long a session lasts", delivery("disconnect_may_change_how_long_the_session_lasts")),
      row(
        "A second connection takes a session over",
        devices("displaces an older connection with its id"),
        connecting("a_second_client_with_the_id_takes_the_session_over"),
        strangers("a takeover resumes only a session with time (${version})"),
        statements("a_session_without_time_does_not_outlive_its_takeover"),
      ),
      row(
        "Wills, with a delay",
        devices("leaves a will behind when its connection is cut"),
        wills("a_will_is_published_unless_the_client_says_goodbye"),
        wills("a_will_may_wait_for_the_client_to_come_back"),
        strangers("a will with a delay does not come at a takeover"),
        wills("a_will_survives_a_crash_and_is_published_once"),
        wills("a_will_is_published_though_its_client_is_back_first"),
      ),
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
      row(
        "Microsoft's Express middleware answers CONNECT",
        handlers("the middleware gets CONNECT and answers it (${version})"),
        handlers("the middleware lets in whom it has no function for"),
        events("a_resumption_keeps_its_groups_and_its_state"),
      ),
      row(
        "Its refusals have the code of the client's version",
        handlers("the middleware refuses with ${what}"),
        events("a_refusal_has_the_code_of_its_version"),
        events("an_answer_that_says_how_to_refuse_is_final"),
      ),
      row(
        "A `connect` that fails is tried again after 1, 3 and 5 s, like every call",
        events("a_handler_that_fails_is_asked_again_about_a_client"),
        events("a_client_that_has_gone_is_not_asked_about_again"),
      ),
      row(
        "`ce-sessionId`, `ce-physicalConnectionId`, and properties as headers",
        handlers("an event has its properties as headers, and the answer's"),
      ),
      row(
        "`connected` and `disconnected` of sessions, with the packet that ended it",
        handlers("only a session's begin and end are events"),
        handlers("a session's end has the packet that ended it"),
      ),
      row(
        "User events and their answers",
        devices("has its events answered by a handler"),
        handlers("the middleware answers events with its state kept"),
      ),
      row("Sends to all, a user, a connection", devices("receives what servers send to all, users and connections")),
      row("Groups over REST are subscriptions", devices("is added to and removed from groups by servers")),
      row(
        "Sessions are listed, and granted permissions, over REST",
        packets("servers list sessions, and grant them permissions"),
      ),
      row("A close over REST ends the session", devices("is closed over REST, and its session ends")),
      row(
        "Tokens of `clientType` MQTT, of the SDKs for JavaScript and Python",
        tokens("a token of clientType MQTT opens a session as asked for"),
        server("makes client URLs of MQTT that open"),
        python("sends to each target, asks who is there, makes client URLs"),
      ),
    ],
  },
];
