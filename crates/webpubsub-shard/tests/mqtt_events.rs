//! What event handlers receive of MQTT clients, and what they answer.
//!
//! Source: docs/spec/mqtt.md#connect-event, docs/spec/mqtt.md#session-events, docs/spec/mqtt.md#user-events.
#![expect(clippy::expect_used, clippy::panic, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_mqtt::{
    Connack, Connect, Disconnect, DownstreamPacket, Property, Qos, ReasonCode, UpstreamPacket, Version,
};
use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer};
use webpubsub_shard::{Call, ConnectRequest, EventPolicy, Limits, ShardConfig, Target};
use webpubsub_testkit::{
    ALL_EVENTS, MqttClient, TestShard, USER_EVENTS, group, header, mqtt, says, status, text, user,
    with_handlers,
};

use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use Version::{V3_1_1, V5};

const CONNECT: &str = r#"[{"urlTemplate":"https://example.com/{event}","systemEvents":["connect"]}]"#;

fn shard(handlers: &str) -> TestShard {
    TestShard::with(ShardConfig::only(), with_handlers(handlers))
}

fn body(call: &Call) -> &str {
    std::str::from_utf8(&call.request.body).expect("a text")
}

fn hello(version: Version) -> Connect {
    MqttClient::hello(version, "a")
}

/// What the client of the answer is sent where the handler is asked once, and whether its socket is open.
fn answered(version: Version, answer: Result<HandlerAnswer, CallFailure>) -> (Connack, TestShard) {
    answered_with(ShardConfig::only(), version, answer)
}

fn answered_with(
    config: ShardConfig,
    version: Version,
    answer: Result<HandlerAnswer, CallFailure>,
) -> (Connack, TestShard) {
    let policy = EventPolicy { retries: Vec::new(), ..with_handlers(CONNECT) };
    let mut shard = TestShard::with(config, policy);
    let client = MqttClient::open(&mut shard, mqtt("token"), version);
    client.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(version))));
    assert!(shard.frames(client.slot).is_empty(), "the handler decides");
    shard.end_call(answer);
    let frames = match shard.closed.last() {
        Some(closed) => closed.frames.clone(),
        None => shard.take_frames(client.slot),
    };
    let mut packets = MqttClient::packets(version, &frames);
    let DownstreamPacket::Connack(connack) = packets.remove(0) else { panic!("{packets:?}") };
    (connack, shard)
}

#[test]
fn a_handler_is_asked_with_what_connect_says() {
    let mut shard = shard(CONNECT);
    let request = ConnectRequest {
        connect_body: Some(r#"{"claims":{"sub":["u"]},"subprotocols":["mqtt"]}"#.into()),
        ..mqtt("u")
    };
    let client = MqttClient::open(&mut shard, request, V5);
    let mut connect = Connect {
        user_name: Some("name".into()),
        password: Some(b"secret".to_vec()),
        ..MqttClient::hello(V5, "device1")
    };
    connect.properties.push_user("n", "v");
    client.send(&mut shard, &UpstreamPacket::Connect(Box::new(connect)));
    let call = shard.calls.first().expect("a call").clone();
    assert_eq!(
        body(&call),
        concat!(
            r#"{"claims":{"sub":["u"]},"subprotocols":["mqtt"],"mqtt":{"protocolVersion":5,"cleanStart":true,"#,
            r#""username":"name","password":"c2VjcmV0","userProperties":[{"name":"n","value":"v"}]}}"#
        )
    );
    assert_eq!(header(&call, "ce-connectionId"), Some("device1"));
    assert_eq!(header(&call, "ce-subprotocol"), Some("mqtt"));
    let physical = header(&call, "ce-physicalConnectionId").expect("an id");
    assert_eq!(header(&call, "ce-source"), Some(format!("/hubs/chat/client/device1/{physical}").as_str()));
    assert_eq!(header(&call, "ce-sessionId"), None);
}

#[test]
fn a_handler_says_who_the_client_is() {
    let body = r#"{"userId":"someone","groups":["g"],"mqtt":{"userProperties":[{"name":"n","value":"v"}]}}"#;
    let (connack, mut shard) = answered(V5, Ok(says("application/json", body)));
    assert_eq!(connack.reason, ReasonCode::SUCCESS);
    assert_eq!(connack.properties.user().collect::<Vec<_>>(), [("n", "v")]);
    assert!(shard.exists(Target::User(user("someone"))) && !shard.exists(Target::User(user("token"))));
    shard.publish(Target::Group(group("g")), text("x"));
    let client = MqttClient { slot: shard.slot_of("a").expect("a socket"), version: V5 };
    assert_eq!(client.read(&mut shard), ["g q0 x"]);
}

#[test]
fn a_handler_gives_no_more_groups_than_a_connection_may_have() {
    let limits = Limits { groups: 2, ..Limits::DEFAULT };
    for (groups, expected) in [(r#"["a","b"]"#, ReasonCode::SUCCESS), (r#"["a","b","c"]"#, ReasonCode(0x80))]
    {
        let config = ShardConfig { limits, ..ShardConfig::only() };
        let answer = says("application/json", &format!(r#"{{"groups":{groups}}}"#));
        let (connack, _) = answered_with(config, V5, Ok(answer));
        assert_eq!(connack.reason, expected, "{groups}");
    }
}

#[test]
fn a_refusal_has_the_code_of_its_version() {
    let code = |version, answer| {
        let (connack, shard) = answered(version, answer);
        assert_eq!(shard.core().connections(), 0);
        let code = if version == V5 { connack.reason.0 } else { connack.reason.return_code() };
        (code, connack.properties.text(Property::ReasonString).map(str::to_owned))
    };
    let says = |body: &str| Ok(HandlerAnswer { body: body.into(), ..status(400) });
    let banned = r#"{"mqtt":{"code":138,"reason":"banned by server"}}"#;
    assert_eq!(code(V5, says(banned)), (138, Some("banned by server".to_owned())));
    assert_eq!(code(V3_1_1, says(r#"{"mqtt":{"code":5}}"#)).0, 5);
    assert_eq!(code(V3_1_1, says(banned)).0, 3, "3.1.1 has no such code");
    assert_eq!((code(V5, Ok(status(401))).0, code(V3_1_1, Ok(status(401))).0), (0x87, 5));
    assert_eq!((code(V5, Ok(status(400))).0, code(V3_1_1, Ok(status(400))).0), (0x86, 4));
    let none = || Err(CallFailure::Network);
    assert_eq!((code(V5, none()).0, code(V3_1_1, none()).0), (0x80, 3));
}

// Source: docs/spec/cloudevents.md#retries.
#[test]
fn a_handler_that_fails_is_asked_again_about_a_client() {
    for (last, expected) in [(Ok(status(204)), "connack 0x00 false"), (Ok(status(503)), "connack 0x80 false")]
    {
        let mut shard = shard(CONNECT);
        let client = MqttClient::open(&mut shard, mqtt("token"), V5);
        client.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(V5))));
        let first = shard.calls.first().expect("a call").request.clone();
        let failures = [Ok(status(503)), Err(CallFailure::Network), Ok(status(408))];
        for (attempt, (failure, pause)) in (2..).zip(failures.into_iter().zip([1, 3, 5])) {
            shard.end_call(failure);
            shard.pass(Duration::from_secs(pause) - Duration::from_millis(1));
            assert!(shard.calls.is_empty() && shard.frames(client.slot).is_empty(), "{attempt}");
            shard.pass(Duration::from_millis(1));
            let [call] = &shard.calls[..] else { panic!("{:?}", shard.calls) };
            assert_eq!((call.attempt, &call.request), (attempt, &first));
        }
        shard.end_call(last);
        let packets = match shard.closed.last() {
            Some(closed) => MqttClient::packets(V5, &closed.frames),
            None => MqttClient::packets(V5, &shard.take_frames(client.slot)),
        };
        let [DownstreamPacket::Connack(connack)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(format!("connack {:#04x} {}", connack.reason.0, connack.session_present), expected);
        shard.pass(Duration::from_secs(60));
        assert!(shard.calls.is_empty());
    }
}

#[test]
fn a_client_that_has_gone_is_not_asked_about_again() {
    let mut shard = shard(CONNECT);
    let client = MqttClient::open(&mut shard, mqtt("token"), V5);
    client.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(V5))));
    shard.end_call(Ok(status(503)));
    shard.cut(client.slot);
    // Another has its slot by then.
    let next = MqttClient::open(&mut shard, mqtt("token"), V5);
    shard.pass(Duration::from_secs(20));
    assert!(shard.calls.is_empty());
    next.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(V5))));
    shard.end_call(Ok(status(204)));
    assert_eq!(next.read(&mut shard), ["connack 0x00 false"]);
}

#[test]
fn an_answer_that_says_how_to_refuse_is_final() {
    let mut shard = shard(CONNECT);
    let client = MqttClient::open(&mut shard, mqtt("token"), V5);
    client.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(V5))));
    let busy = HandlerAnswer { body: r#"{"mqtt":{"code":137}}"#.into(), ..status(500) };
    shard.end_call(Ok(busy));
    assert!(!shard.is_open(client.slot) && shard.calls.is_empty());
    shard.pass(Duration::from_secs(20));
    assert!(shard.calls.is_empty());
}

#[test]
fn what_is_behind_connect_waits_for_the_handler() {
    let mut shard = shard(CONNECT);
    let client = MqttClient::open(&mut shard, mqtt("a"), V5);
    let connect = UpstreamPacket::Connect(Box::new(hello(V5))).encode(V5);
    let ping = UpstreamPacket::Pingreq.encode(V5);
    client.send_bytes(&mut shard, [connect, ping.clone()].concat());
    client.send_bytes(&mut shard, ping);
    assert!(shard.frames(client.slot).is_empty());
    shard.pass(Duration::from_secs(40));
    assert!(shard.is_open(client.slot), "the call ends in any case");
    shard.end_call(Ok(status(204)));
    assert_eq!(client.read(&mut shard), ["connack 0x00 false", "pingresp", "pingresp"]);
}

#[test]
fn too_much_behind_connect_closes() {
    let mut shard = shard(CONNECT);
    let client = MqttClient::open(&mut shard, mqtt("a"), V5);
    client.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(V5))));
    client.send_bytes(&mut shard, vec![0; 1 << 20]);
    assert!(shard.is_open(client.slot));
    client.send_bytes(&mut shard, vec![0]);
    assert!(!shard.is_open(client.slot));
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.core().connections(), 0);
}

#[test]
fn what_all_hold_that_wait_for_the_handler_is_bounded() {
    let mut shard = shard(CONNECT);
    let waiting: Vec<_> = (0..40)
        .map(|number| {
            let client = MqttClient::open(&mut shard, mqtt("a"), V5);
            let connect = MqttClient::hello(V5, &format!("c{number}"));
            client.send(&mut shard, &UpstreamPacket::Connect(Box::new(connect)));
            client
        })
        .collect();
    for client in &waiting {
        client.send_bytes(&mut shard, vec![0; 60_000]);
    }
    for client in &waiting {
        client.send_bytes(&mut shard, vec![0; 900_000]);
    }
    let open = |shard: &TestShard| waiting.iter().filter(|client| shard.is_open(client.slot)).count();
    assert_eq!(open(&shard), 17, "a little is left to each, and much to some");
    // Those that have gone leave their room.
    for client in waiting.iter().take(15) {
        shard.cut(client.slot);
    }
    let next = MqttClient::open(&mut shard, mqtt("a"), V5);
    next.send(&mut shard, &UpstreamPacket::Connect(Box::new(MqttClient::hello(V5, "next"))));
    next.send_bytes(&mut shard, vec![0; 900_000]);
    assert!(shard.is_open(next.slot));
}

#[test]
fn six_clients_are_asked_about_at_once() {
    let mut shard = shard(CONNECT);
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let client = MqttClient::open(&mut shard, mqtt("a"), V5);
            let connect = MqttClient::hello(V5, &format!("c{number}"));
            client.send(&mut shard, &UpstreamPacket::Connect(Box::new(connect)));
            client
        })
        .collect();
    assert_eq!(shard.calls.len(), 6);
    for client in clients.iter().take(2) {
        shard.cut(client.slot);
    }
    while !shard.calls.is_empty() {
        shard.end_call(Ok(status(204)));
    }
    assert_eq!(shard.core().connections(), 6);
}

#[test]
fn handlers_see_the_begin_and_end_of_sessions() {
    let mut shard = shard(ALL_EVENTS);
    let resumable = || {
        let mut connect = Connect { clean_start: false, ..hello(V5) };
        connect.properties.push_number(Property::SessionExpiryInterval, 30);
        connect
    };
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), resumable());
    let call = shard.end_call(Ok(status(204)));
    assert_eq!((call.event.as_str(), body(&call)), ("connected", "{}"));
    let session = header(&call, "ce-sessionId").expect("a session").to_owned();
    let first = header(&call, "ce-physicalConnectionId").expect("an id").to_owned();
    shard.cut(client.slot);
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), resumable());
    assert!(shard.calls.is_empty(), "the session goes on");
    let mut end = Disconnect { reason: ReasonCode::DISCONNECT_WITH_WILL, ..Disconnect::default() };
    end.properties.push_number(Property::SessionExpiryInterval, 0);
    end.properties.push_text(Property::ReasonString, "bye");
    end.properties.push_user("n", "v");
    client.send(&mut shard, &UpstreamPacket::Disconnect(end));
    let call = shard.end_call(Ok(status(204)));
    assert_eq!(
        body(&call),
        concat!(
            r#"{"reason":"bye","mqtt":{"initiatedByClient":true,"disconnectPacket":"#,
            r#"{"code":4,"userProperties":[{"name":"n","value":"v"}]}}}"#
        )
    );
    assert_eq!(header(&call, "ce-sessionId"), Some(session.as_str()));
    assert_ne!(header(&call, "ce-physicalConnectionId"), Some(first.as_str()), "of the last socket");
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), hello(V3_1_1));
    shard.end_call(Ok(status(204)));
    shard.cut(client.slot);
    let call = shard.end_call(Ok(status(204)));
    let none = r#"{"reason":null,"mqtt":{"initiatedByClient":false,"disconnectPacket":null}}"#;
    assert_eq!(body(&call), none);
}

#[test]
fn a_long_end_of_a_session_survives_the_disk() {
    let mut shard = shard(ALL_EVENTS);
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), hello(V5));
    shard.end_call(Ok(status(204)));
    let mut end = Disconnect::default();
    end.properties.push_text(Property::ReasonString, "\u{1}".repeat(65_535));
    for number in 0..15 {
        end.properties.push_user(number.to_string(), "\u{1}".repeat(60_000));
    }
    client.send(&mut shard, &UpstreamPacket::Disconnect(end));
    shard.crash();
    let call = shard.end_call(Ok(status(204)));
    assert!(body(&call).contains(r#""name":"0""#) && !body(&call).contains(r#""name":"1""#));
}

#[test]
fn a_resumption_keeps_its_groups_and_its_state() {
    let handlers = r#"[{"urlTemplate":"https://example.com/{event}","systemEvents":["connect"],"userEventPattern":"*"}]"#;
    let mut shard = shard(handlers);
    let topic = "$webpubsub/server/events/order";
    for (state, groups) in [(Some("first"), "one"), (Some("second"), "two"), (None, "three")] {
        let mut connect = Connect { clean_start: false, ..hello(V5) };
        connect.properties.push_number(Property::SessionExpiryInterval, 30);
        let mut client = MqttClient::open(&mut shard, mqtt("a"), V5);
        client.send(&mut shard, &UpstreamPacket::Connect(Box::new(connect)));
        let answer = says("application/json", &format!(r#"{{"groups":["{groups}"]}}"#));
        shard.end_call(Ok(HandlerAnswer { state: state.map(str::to_owned), ..answer }));
        client.slot = shard.slot_of("a").expect("a socket");
        client.take(&mut shard);
        client.publish(&mut shard, topic, AtMostOnce, 0, "x");
        let call = shard.end_call(Ok(status(204)));
        assert_eq!(header(&call, "ce-connectionState"), Some("first"), "it is the session's");
        client.take(&mut shard);
        shard.publish(Target::Group(group(groups)), text("x"));
        assert_eq!(client.read(&mut shard).len(), usize::from(groups == "one"), "groups are the session's");
        shard.cut(client.slot);
        shard.crash();
    }
}

#[test]
fn an_event_is_answered_on_its_topics() {
    let mut shard = shard(USER_EVENTS);
    let (client, _) =
        MqttClient::connected(&mut shard, ConnectRequest { roles: vec![], ..mqtt("a") }, hello(V5));
    let topic = "$webpubsub/server/events/order";
    let mut publish = MqttClient::message(topic, AtLeastOnce, 1, "hi");
    publish.properties.push_text(Property::ContentType, "text/plain");
    publish.properties.push_binary(Property::CorrelationData, [7, 8]);
    publish.properties.push_user("Trace", "t");
    client.send(&mut shard, &UpstreamPacket::Publish(publish));
    assert_eq!(client.read(&mut shard), ["puback 1"], "the event is taken, no role is needed");
    let answer = HandlerAnswer {
        mqtt: vec![("n".into(), "v".into())],
        state: Some("s".into()),
        ..says("application/json", "{}")
    };
    let call = shard.end_call(Ok(answer));
    assert_eq!((call.event.as_str(), body(&call)), ("order", "hi"));
    assert_eq!(header(&call, "Content-Type"), Some("text/plain"));
    assert_eq!(header(&call, "mqtt-trace"), Some("t"));
    let packets = client.take(&mut shard);
    let [DownstreamPacket::Publish(publish)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!(publish.topic, "$webpubsub/server/events/order/succeeded");
    assert_eq!((publish.qos, publish.payload.as_slice()), (AtLeastOnce, &b"{}"[..]));
    assert_eq!(publish.properties.text(Property::ContentType), Some("application/json"));
    assert_eq!(publish.properties.binary(Property::CorrelationData), Some(&[7, 8][..]));
    assert_eq!(publish.properties.user().collect::<Vec<_>>(), [("n", "v"), ("azure-status-code", "200")]);
    client.publish(&mut shard, topic, AtMostOnce, 0, "again");
    assert_eq!(header(&shard.end_call(Ok(status(400))), "ce-connectionState"), Some("s"));
    assert_eq!(client.read(&mut shard), [format!("{topic}/failed q0 ")]);
    client.publish(&mut shard, topic, ExactlyOnce, 2, "again");
    shard.end_call(Err(CallFailure::NotPublic));
    assert_eq!(client.read(&mut shard), ["pubrec 2".to_owned(), format!("{topic}/failed q2 #2 ")]);
    assert!(shard.is_open(client.slot));
}

#[test]
fn an_answer_with_many_properties_survives_the_disk() {
    let mut shard = shard(USER_EVENTS);
    let mut hello = Connect { clean_start: false, ..hello(V5) };
    hello.properties.push_number(Property::SessionExpiryInterval, 30);
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), hello.clone());
    let mut publish = MqttClient::message("$webpubsub/server/events/order", ExactlyOnce, 1, "hi");
    publish.properties.push_binary(Property::CorrelationData, [7, 8]);
    client.send(&mut shard, &UpstreamPacket::Publish(publish));
    client.take(&mut shard);
    let mqtt_headers = (0..200).map(|number| (format!("n{number}"), "v".to_owned())).collect();
    shard.end_call(Ok(HandlerAnswer { mqtt: mqtt_headers, ..status(204) }));
    let before = client.take(&mut shard);
    shard.crash();
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), hello);
    let after = client.take(&mut shard);
    let ([DownstreamPacket::Publish(before)], [DownstreamPacket::Publish(after)]) = (&before[..], &after[..])
    else {
        panic!("{before:?} {after:?}")
    };
    assert_eq!(before.properties.user().last(), Some(("azure-status-code", "204")));
    assert_eq!(*after, webpubsub_mqtt::Publish { dup: true, ..before.clone() });
}

#[test]
fn an_event_without_a_handler_closes_nothing() {
    let mut shard = TestShard::new();
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), hello(V5));
    client.publish(&mut shard, "$webpubsub/server/events/order", AtMostOnce, 0, "hi");
    assert_eq!(client.read(&mut shard), ["$webpubsub/server/events/order/failed q0 "]);
    for topic in ["$webpubsub/server/events/a/b", "$webpubsub/server/events/", "$webpubsub/server/messages"] {
        client.publish(&mut shard, topic, AtLeastOnce, 1, "hi");
        assert_eq!(client.read(&mut shard), ["puback 1 0x90"], "{topic}");
    }
    let mut publish = MqttClient::message("$webpubsub/server/events/order", AtLeastOnce, 1, "hi");
    publish.properties.push_text(Property::ContentType, "no media type");
    client.send(&mut shard, &UpstreamPacket::Publish(publish));
    assert_eq!(client.read(&mut shard), ["puback 1 0x99"]);
}

#[test]
fn a_crash_does_not_mix_the_events_of_two_sessions() {
    let mut shard = shard(ALL_EVENTS);
    let (first, _) = MqttClient::connected(&mut shard, mqtt("a"), hello(V5));
    shard.end_call(Ok(status(204)));
    first.disconnect(&mut shard);
    let (_, _) = MqttClient::connected(&mut shard, mqtt("a"), hello(V5));
    let words = |shard: &mut TestShard| {
        let mut words = Vec::new();
        while !shard.calls.is_empty() {
            let call = shard.end_call(Ok(status(204)));
            let session = header(&call, "ce-sessionId").expect("a session").to_owned();
            words.push((session, call.event));
        }
        words.sort();
        words
    };
    // No handler has taken the end of the first session when the memory is lost.
    shard.crash();
    shard.pass(Duration::from_secs(60));
    let said = words(&mut shard);
    let [(one, end), (other, connected), (same, disconnected)] = &said[..] else { panic!("{said:?}") };
    assert_eq!([end, connected, disconnected], ["disconnected", "connected", "disconnected"]);
    assert!(one != other && other == same, "{said:?}");
}
