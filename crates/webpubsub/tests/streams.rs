//! Group streams that a client sends and receives.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

#[path = "support/server.rs"]
mod server;

use std::time::Duration;

use futures_util::{StreamExt as _, poll};
use server::{Peer, Server, next, within};
use webpubsub::{
    AbortReason, Event, GroupStream, GroupStreamError, GroupStreamOptions, GroupStreamWriteError,
    GroupStreams, Message, QueueLimits, StreamFailure, WebPubSubClient,
};

impl Peer {
    async fn say_ack(&mut self, expected: u64) {
        self.say(&format!(r#"{{"type":"streamAck","streamId":"s","expectedSequenceId":{expected}}}"#)).await;
    }

    async fn say_closed(&mut self, error: &str) {
        self.say(&format!(r#"{{"type":"streamClosed","streamId":"s"{error}}}"#)).await;
    }

    /// A piece of a stream, or its end.
    async fn say_piece(&mut self, stream: &str, data: &str, sequence_id: u64) {
        self.say(&format!(
            r#"{{"type":"message","from":"group","group":"room","fromUserId":"bob","dataType":"text","data":"{data}","sequenceId":{sequence_id},"stream":{{{stream}}}}}"#
        ))
        .await;
    }
}

/// Opens the stream `s`.
async fn open(client: &WebPubSubClient, peer: &mut Peer) -> webpubsub::GroupStreamWriter {
    let script = async {
        assert_eq!(
            peer.receive().await,
            r#"{"type":"sendToGroup","group":"room","noEcho":false,"stream":{"streamId":"s"}}"#
        );
        peer.say_ack(1).await;
    };
    let opening = client.open_group_stream("room").stream_id("s").into_future();
    let (writer, ()) = within(async { tokio::join!(opening, script) }).await;
    writer.unwrap()
}

fn piece(number: u64, data: &str) -> String {
    format!(
        r#"{{"type":"streamData","streamId":"s","streamSequenceId":{number},"dataType":"text","data":"{data}"}}"#
    )
}

async fn next_stream(streams: &mut GroupStreams) -> GroupStream {
    within(streams.next()).await.unwrap().unwrap()
}

async fn read(stream: &mut GroupStream) -> Message {
    within(stream.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_stream_is_sent_and_ends_once_all_is_taken() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let writer = open(&client, &mut peer).await;
    assert_eq!(writer.id(), "s");
    within(writer.write("a")).await.unwrap();
    within(writer.write_json(&[1, 2])).await.unwrap();
    assert_eq!(peer.receive().await, piece(1, "a"));
    assert_eq!(
        peer.receive().await,
        r#"{"type":"streamData","streamId":"s","streamSequenceId":2,"dataType":"json","data":[1,2]}"#
    );
    let mut end = Box::pin(writer.end());
    assert!(poll!(end.as_mut()).is_pending());
    peer.say_ack(3).await;
    let script = async {
        assert_eq!(peer.receive().await, r#"{"type":"streamEnd","streamId":"s"}"#);
        peer.say_closed("").await;
    };
    let (ended, ()) = within(async { tokio::join!(end, script) }).await;
    ended.unwrap();
}

#[tokio::test]
async fn an_opening_has_its_options() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let opening =
        client.open_group_stream("room").no_echo().idle_timeout(Duration::from_secs(2)).into_future();
    let script = async {
        let sent: serde_json::Value = serde_json::from_str(&peer.receive().await).unwrap();
        assert_eq!((&sent["noEcho"], &sent["stream"]["idleTimeoutMs"]), (&true.into(), &2000.into()));
        let id = sent["stream"]["streamId"].as_str().unwrap().to_owned();
        peer.say(&format!(r#"{{"type":"streamAck","streamId":"{id}","expectedSequenceId":1}}"#)).await;
        id
    };
    let (writer, id) = within(async { tokio::join!(opening, script) }).await;
    assert_eq!(writer.unwrap().id(), id);
    assert_eq!(id.len(), 32);
    let failed = async |opening: webpubsub::OpenGroupStream| within(opening.into_future()).await.unwrap_err();
    let error = failed(client.open_group_stream("room").stream_id("")).await;
    assert!(matches!(error, GroupStreamWriteError::StreamId), "{error}");
    let error = failed(client.open_group_stream(" ")).await;
    assert!(matches!(error, GroupStreamWriteError::Name(_)), "{error}");
    let error = failed(client.open_group_stream("room").idle_timeout(Duration::ZERO)).await;
    assert!(matches!(error, GroupStreamWriteError::IdleTimeout), "{error}");
}

#[tokio::test]
async fn a_refused_stream_says_why() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let opening = client.open_group_stream("room").stream_id("s").into_future();
    let script = async {
        peer.receive().await;
        peer.say_closed(r#","error":{"name":"Forbidden","message":"No."}"#).await;
    };
    let (writer, ()) = within(async { tokio::join!(opening, script) }).await;
    let error = writer.unwrap_err();
    assert!(
        matches!(&error, GroupStreamWriteError::Stream(StreamFailure::Closed(error)) if error.name == "Forbidden"),
        "{error}"
    );
    // The id is free.
    drop(open(&client, &mut peer).await);
}

#[tokio::test]
async fn two_open_streams_need_two_ids() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let first = open(&client, &mut peer).await;
    let second = within(client.open_group_stream("room").stream_id("s").into_future()).await;
    let error = second.unwrap_err();
    assert!(matches!(error, GroupStreamWriteError::Stream(StreamFailure::Exists { .. })), "{error}");
    within(first.write("a")).await.unwrap();
    assert_eq!(peer.receive().await, piece(1, "a"));
}

#[tokio::test]
async fn without_a_connection_no_stream_opens() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let error = within(client.open_group_stream("room").into_future()).await.unwrap_err();
    assert!(matches!(error, GroupStreamWriteError::Stream(StreamFailure::NotConnected)), "{error}");
}

#[tokio::test]
async fn an_abort_says_why_a_stream_ends() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let writer = open(&client, &mut peer).await;
    let reason = AbortReason { message: Some("Too hot.".to_owned()), code: Some("hot".to_owned()) };
    let script = async {
        assert_eq!(
            peer.receive().await,
            r#"{"type":"streamEnd","streamId":"s","error":{"message":"Too hot.","userErrorCode":"hot"}}"#
        );
        peer.say_closed("").await;
    };
    let (ended, ()) = within(async { tokio::join!(writer.abort(reason), script) }).await;
    ended.unwrap();
}

#[tokio::test]
async fn a_dropped_writer_ends_its_stream() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let ended =
        |id| format!(r#"{{"type":"streamEnd","streamId":"{id}","error":{{"userErrorCode":"Aborted"}}}}"#);
    drop(open(&client, &mut peer).await);
    assert_eq!(peer.receive().await, ended("s"));
    // The same for one that has not opened.
    let mut opening = client.open_group_stream("room").stream_id("t").into_future();
    assert!(poll!(opening.as_mut()).is_pending());
    peer.receive().await;
    drop(opening);
    assert_eq!(peer.receive().await, ended("t"));
    // And for one that has, while its caller went.
    let mut opening = client.open_group_stream("room").stream_id("u").into_future();
    assert!(poll!(opening.as_mut()).is_pending());
    peer.receive().await;
    let mut messages = client.group_messages("room").unwrap();
    peer.say(r#"{"type":"streamAck","streamId":"u","expectedSequenceId":1}"#).await;
    peer.say_text("room", "behind the ack", 1).await;
    within(messages.next()).await.unwrap().unwrap();
    drop(opening);
    assert_eq!(peer.receive().await, ended("u"));
}

#[tokio::test]
async fn writes_wait_while_1000_pieces_are_on_their_way() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let writer = open(&client, &mut peer).await;
    let write = async {
        for _ in 0..1000 {
            writer.write("x").await.unwrap();
        }
    };
    let receive = async {
        for number in 1..=1000 {
            assert_eq!(peer.receive().await, piece(number, "x"));
        }
    };
    within(async { tokio::join!(write, receive) }).await;
    let mut dropped = Box::pin(writer.write("dropped"));
    assert!(poll!(dropped.as_mut()).is_pending());
    let mut waiting = Box::pin(writer.write("waits"));
    assert!(poll!(waiting.as_mut()).is_pending());
    drop(dropped);
    peer.say_ack(2).await;
    within(waiting).await.unwrap();
    assert_eq!(peer.receive().await, piece(1001, "waits"));
}

#[tokio::test]
async fn a_recovery_sends_again_what_was_not_taken() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let writer = open(&client, &mut peer).await;
    for data in ["a", "b", "c"] {
        within(writer.write(data)).await.unwrap();
        peer.receive().await;
    }
    peer.say_ack(2).await;
    peer.say_text("room", "behind the ack", 1).await;
    assert!(matches!(next(&mut events).await, Event::Message(_)));
    peer.cut();
    assert!(matches!(next(&mut events).await, Event::Recovering { .. }));
    let mut waiting = Box::pin(writer.write("d"));
    assert!(poll!(waiting.as_mut()).is_pending());
    let mut peer = server.accept().await;
    peer.say_connected().await;
    within(waiting).await.unwrap();
    assert_eq!(peer.receive().await, r#"{"type":"sequenceAck","sequenceId":1}"#);
    for (number, data) in [(2, "b"), (3, "c"), (4, "d")] {
        assert_eq!(peer.receive().await, piece(number, data));
    }
}

#[tokio::test]
async fn a_lost_connection_fails_its_streams() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let writer = open(&client, &mut peer).await;
    assert_eq!(writer.failure(), None);
    peer.close(1008, "gone").await;
    assert!(matches!(next(&mut events).await, Event::Disconnected { .. }));
    assert_eq!(writer.failure(), Some(&StreamFailure::ConnectionLost));
    let mut peer = server.accept().await;
    peer.say_connected().await;
    assert!(matches!(next(&mut events).await, Event::Connected { .. }));
    // Another stream has its id by now.
    let _other = open(&client, &mut peer).await;
    let error = within(writer.write("a")).await.unwrap_err();
    assert!(matches!(error, GroupStreamWriteError::Stream(StreamFailure::ConnectionLost)), "{error}");
}

#[tokio::test]
async fn a_received_stream_is_read_piece_by_piece() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let mut streams = client.group_streams(GroupStreamOptions::default().group("room"));
    let mut other = client.group_streams(GroupStreamOptions::default().group("other"));
    peer.say_piece(r#""streamId":"s","streamSequenceId":1"#, "a", 1).await;
    peer.say_piece(r#""streamId":"t","streamSequenceId":7"#, "x", 2).await;
    peer.say_piece(r#""streamId":"s","streamSequenceId":2"#, "b", 3).await;
    peer.say_piece(r#""streamId":"s","streamSequenceId":3,"endOfStream":true"#, "", 4).await;
    peer.say_text("room", "no piece", 5).await;
    let mut stream = next_stream(&mut streams).await;
    assert_eq!((stream.group(), stream.id()), ("room", "s"));
    let message = read(&mut stream).await;
    assert_eq!((message.text(), message.from_user()), (Some("a"), Some("bob")));
    assert_eq!((message.sequence_id(), message.stream_sequence_id()), (Some(1), Some(1)));
    assert_eq!(read(&mut stream).await.text(), Some("b"));
    assert!(within(stream.next()).await.is_none());
    let mut stream = next_stream(&mut streams).await;
    assert_eq!(read(&mut stream).await.stream_sequence_id(), Some(7));
    assert!(poll!(other.next()).is_pending());
    // Pieces are no messages.
    let Event::Message(message) = next(&mut events).await else { panic!("no message") };
    assert_eq!(message.text(), Some("no piece"));
    // It ends with the client.
    tokio::join!(peer.receive_close(), client.stop());
    assert!(within(stream.next()).await.is_none());
    drop(client);
    assert!(within(streams.next()).await.is_none());
}

#[tokio::test]
async fn a_stream_that_was_missed_in_part_can_be_left_out() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let mut streams = client.group_streams(GroupStreamOptions::default().from_start());
    peer.say_piece(r#""streamId":"s","streamSequenceId":2"#, "b", 1).await;
    peer.say_piece(r#""streamId":"t","streamSequenceId":1"#, "a", 2).await;
    assert_eq!(next_stream(&mut streams).await.id(), "t");
}

#[tokio::test]
async fn a_streams_error_reaches_its_reader() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let options = GroupStreamOptions::default().idle_timeout(Duration::from_millis(20));
    let mut streams = client.group_streams(options);
    peer.say_piece(
        r#""streamId":"s","streamSequenceId":1,"endOfStream":true,"error":{"name":"UserError","message":"Too hot.","userErrorCode":"hot"}"#,
        "",
        1,
    )
    .await;
    let mut stream = next_stream(&mut streams).await;
    let error = within(stream.next()).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the stream failed: UserError: Too hot.");
    assert!(
        matches!(error, GroupStreamError::Failed(error) if error.user_error_code.as_deref() == Some("hot"))
    );
    assert!(within(stream.next()).await.is_none());
    // One that is silent fails as well.
    peer.say_piece(r#""streamId":"t","streamSequenceId":1"#, "a", 2).await;
    let mut stream = next_stream(&mut streams).await;
    read(&mut stream).await;
    let error = within(stream.next()).await.unwrap().unwrap_err();
    assert_eq!(error, GroupStreamError::IdleTimeout);
}

#[tokio::test]
async fn a_stream_that_is_read_too_slowly_fails() {
    let server = Server::bind().await;
    let client = server.builder().queue(QueueLimits { events: 2, bytes: 1000 }).build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let mut streams = client.group_streams(GroupStreamOptions::default());
    for number in 1..=4 {
        let stream = format!(r#""streamId":"s","streamSequenceId":{number}"#);
        peer.say_piece(&stream, "x", number).await;
    }
    let end = r#""streamId":"s","streamSequenceId":5,"endOfStream":true"#;
    peer.say_piece(end, "", 5).await;
    // Its id may be used again.
    peer.say_piece(r#""streamId":"s","streamSequenceId":1"#, "again", 6).await;
    let mut stream = next_stream(&mut streams).await;
    assert_eq!(read(&mut stream).await.stream_sequence_id(), Some(1));
    assert_eq!(read(&mut stream).await.stream_sequence_id(), Some(2));
    assert_eq!(within(stream.next()).await.unwrap().unwrap_err(), GroupStreamError::Lagged);
    assert!(within(stream.next()).await.is_none());
    let mut stream = next_stream(&mut streams).await;
    assert_eq!(read(&mut stream).await.text(), Some("again"));
}

#[tokio::test]
async fn streams_that_are_not_taken_are_let_go() {
    let server = Server::bind().await;
    let client = server.builder().queue(QueueLimits { events: 2, bytes: 1000 }).build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let mut streams = client.group_streams(GroupStreamOptions::default());
    for number in 1..=3 {
        peer.say_piece(&format!(r#""streamId":"{number}","streamSequenceId":1"#), "x", number).await;
    }
    let mut messages = client.group_messages("room").unwrap();
    peer.say_text("room", "behind", 4).await;
    within(messages.next()).await.unwrap().unwrap();
    assert_eq!(within(streams.next()).await.unwrap().unwrap_err().missed, 1);
    assert_eq!(next_stream(&mut streams).await.id(), "2");
    // A stream that was taken goes on without the listener.
    let mut stream = next_stream(&mut streams).await;
    drop(streams);
    peer.say_piece(r#""streamId":"3","streamSequenceId":2"#, "y", 5).await;
    assert_eq!(read(&mut stream).await.text(), Some("x"));
    assert_eq!(read(&mut stream).await.text(), Some("y"));
}
