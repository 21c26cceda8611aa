//! Lost links, closes of every code, garbage, silence, and readers that are too slow.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/server.rs"]
mod server;

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _, poll};
use server::{Server, next, within};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;
use webpubsub::{CloseCode, Event, Lagged, Next, QueueLimits, SendError, Subprotocol};

#[tokio::test]
async fn a_cut_link_is_recovered_without_a_loss() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    peer.say_text("room", "one", 1).await;
    peer.say_text("room", "two", 2).await;
    for expected in ["one", "two"] {
        let Event::Message(message) = next(&mut events).await else { panic!("no message") };
        assert_eq!(message.text(), Some(expected));
    }
    peer.cut();
    assert!(matches!(next(&mut events).await, Event::Recovering { connection_id } if connection_id == "c1"));
    let mut peer = server.accept().await;
    assert!(
        peer.path.ends_with("?access_token=t&awps_connection_id=c1&awps_reconnection_token=r1"),
        "{}",
        peer.path
    );
    // The service sends again what was not acknowledged.
    peer.say_text("room", "two", 2).await;
    peer.say_text("room", "three", 3).await;
    assert!(matches!(next(&mut events).await, Event::Recovered { .. }));
    let Event::Message(message) = next(&mut events).await else { panic!("no message") };
    assert_eq!((message.text(), message.sequence_id()), (Some("three"), Some(3)));
}

#[tokio::test]
async fn an_operation_whose_link_is_cut_is_tried_again() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let script = async {
        assert!(peer.receive().await.contains(r#""ackId":9"#));
        peer.cut();
        let mut peer = server.accept().await;
        peer.say_connected().await;
        assert!(peer.receive().await.contains(r#""ackId":9"#));
        peer.say_done(9).await;
        peer
    };
    let (sent, _peer) = tokio::join!(client.send_to_group("g", "hi").ack_id(9).into_future(), script);
    assert_eq!(sent.unwrap().ack_id, Some(9));
}

#[tokio::test]
async fn a_1008_leads_to_a_new_connection_and_its_groups() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let (joined, ()) = tokio::join!(client.join_group("room").into_future(), async {
        peer.receive().await;
        peer.say_done(1).await;
    });
    joined.unwrap();
    peer.close(1008, "The reliable message buffer is full.").await;
    let Event::Disconnected { close, next: then, .. } = next(&mut events).await else { panic!("another") };
    assert_eq!((close.code, &*close.reason), (CloseCode(1008), "The reliable message buffer is full."));
    assert_eq!(then, Next::Reconnect);
    let mut peer = server.accept().await;
    assert!(!peer.path.contains("awps_connection_id"), "{}", peer.path);
    peer.say_connected().await;
    assert_eq!(peer.receive().await, r#"{"type":"joinGroup","group":"room","ackId":2}"#);
    peer.say_done(2).await;
    assert!(matches!(next(&mut events).await, Event::Connected { .. }));
}

#[tokio::test]
async fn every_close_code_is_reported_as_it_came() {
    let server = Server::bind().await;
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4000, 4999];
    for code in codes {
        let client = server.builder().auto_reconnect(false).protocol(Subprotocol::Json).build().unwrap();
        let (peer, mut events) = server.connected(&client).await;
        peer.close(code, "why").await;
        let Event::Disconnected { close, next: then, .. } = next(&mut events).await else {
            panic!("another")
        };
        assert_eq!((close.code.0, &*close.reason, then), (code, "why", Next::Stop));
        assert!(matches!(next(&mut events).await, Event::Stopped { close: Some(_) }));
    }
}

#[tokio::test]
async fn garbage_is_skipped_and_the_connection_goes_on() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    for garbage in [
        "",
        "null",
        "[]",
        "{",
        "42",
        r#"{"type":"unknown"}"#,
        r#"{"type":"ack","ackId":99,"success":true}"#,
        r#"{"type":"ack"}"#,
        r#"{"type":"message","from":"group"}"#,
        r#"{"type":"system","event":"new"}"#,
        r#"{"type":"invokeResponse","invocationId":"9","success":true}"#,
        r#"{"type":"pong"}"#,
    ] {
        peer.say(garbage).await;
    }
    peer.socket.send(Message::binary(vec![0xff, 0xfe])).await.unwrap();
    peer.socket.send(Message::Ping(vec![1].into())).await.unwrap();
    peer.say_text("room", "after", 1).await;
    let Event::Message(message) = next(&mut events).await else { panic!("no message") };
    assert_eq!(message.text(), Some("after"));
}

#[tokio::test]
async fn frames_that_are_none_end_the_socket_with_a_code() {
    let server = Server::bind().await;
    for (bytes, code) in [
        // Text that is not UTF-8; a reserved opcode; a masked frame of a server.
        (&[0x81, 2, 0xff, 0xff][..], 1007),
        (&[0x83, 0][..], 1002),
        (&[0x81, 0x81, 0, 0, 0, 0, 65][..], 1002),
        // A frame of 2^62 bytes.
        (&[0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0][..], 1009),
    ] {
        let client = server.builder().auto_reconnect(false).protocol(Subprotocol::Json).build().unwrap();
        let (mut peer, mut events) = server.connected(&client).await;
        peer.socket.get_mut().write_all(bytes).await.unwrap();
        let close = peer.receive_close().await;
        assert_eq!(close.map(|frame| u16::from(frame.code)), Some(code));
        let Event::Disconnected { close, .. } = next(&mut events).await else { panic!("another") };
        assert_eq!(close.code, CloseCode::ABNORMAL);
    }
}

#[tokio::test]
async fn a_silent_service_is_given_up() {
    let server = Server::bind().await;
    let client = server
        .builder()
        .keep_alive_timeout(Duration::from_millis(300))
        .keep_alive_interval(Duration::from_millis(100))
        .build()
        .unwrap();
    let (_peer, mut events) = server.connected(&client).await;
    assert!(matches!(next(&mut events).await, Event::Recovering { .. }));
    let _second = server.accept().await;
}

#[tokio::test]
async fn a_service_that_never_answers_a_stop_is_left() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (_peer, mut events) = server.connected(&client).await;
    within(client.stop()).await;
    assert!(matches!(next(&mut events).await, Event::Disconnected { .. }));
    assert!(matches!(next(&mut events).await, Event::Stopped { .. }));
}

#[tokio::test]
async fn a_slow_reader_learns_what_it_missed() {
    let server = Server::bind().await;
    let limits = QueueLimits { events: 10, bytes: 1 << 20 };
    let client = server.builder().queue(limits).build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let mut room = client.group_messages("room").unwrap();
    for number in 1..=100 {
        peer.say_text("room", &number.to_string(), 2 * number - 1).await;
        peer.say_text("other", "x", 2 * number).await;
    }
    // Acks do not wait for whoever reads no events.
    let (sent, ()) = tokio::join!(client.send_to_group("g", "hi").into_future(), async {
        while !peer.receive().await.contains("sendToGroup") {}
        peer.say_done(1).await;
    });
    sent.unwrap();
    assert!(matches!(next(&mut events).await, Event::Lagged { missed: 190 }));
    for _ in 0..10 {
        assert!(matches!(next(&mut events).await, Event::Message(_)));
    }
    // A group's stream keeps what other groups do not drive out.
    assert_eq!(within(room.next()).await.unwrap(), Err(Lagged { missed: 90 }));
    for number in 91..=100 {
        let message = within(room.next()).await.unwrap().unwrap();
        assert_eq!(message.text(), Some(number.to_string().as_str()));
    }
    assert!(poll!(room.next()).is_pending());
}

#[tokio::test]
async fn a_slow_service_makes_senders_wait_and_stops_all_the_same() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (_peer, _events) = server.connected(&client).await;
    let payload = "x".repeat(500_000);
    let mut taken = 0;
    let waits = loop {
        let mut send = client.send_to_group("g", payload.as_str()).fire_and_forget().into_future();
        match tokio::time::timeout(Duration::from_millis(500), send.as_mut()).await {
            Ok(sent) => drop(sent.unwrap()),
            Err(_) => break send,
        }
        taken += 1;
        assert!(taken < 200, "100 MB were taken for a service that reads nothing");
    };
    within(client.stop()).await;
    assert!(matches!(within(waits).await, Err(SendError::NotConnected { .. })));
}
