//! The client on tokio against a running service: `npm run e2e -- tests/e2e/clients/rust.test.mjs`.
#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may"
)]
#![expect(clippy::wildcard_enum_match_arm, reason = "whatever else comes is a failure")]

#[path = "support/cable.rs"]
mod cable;
#[path = "support/server.rs"]
mod server;

use std::sync::Arc;
use std::time::SystemTime;

use cable::Cable;
use futures_util::StreamExt as _;
use rustls_graviola::default_provider;
use serde_json::{Value, json};
use server::{next, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use webpubsub::rustls::pki_types::CertificateDer;
use webpubsub::rustls::pki_types::pem::PemObject as _;
use webpubsub::rustls::{ClientConfig, RootCertStore};
use webpubsub::{
    AckError, Data, Event, Events, GroupStreamError, GroupStreamOptions, GroupStreamWriteError, InvokeError,
    Next, Retry, SendError, StreamError, StreamFailure, Subprotocol, WebPubSubClient,
};
use webpubsub_auth::{AccessKeys, ConnectionString, sign};

const ALL_ROLES: &[&str] = &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/// A running service, and a hub that no other test uses.
struct Hub {
    service: ConnectionString,
    name: &'static str,
}

impl Hub {
    fn new(name: &'static str) -> Self {
        Self::of("WEBPUBSUB_TEST_CONNECTION_STRING", name)
    }

    fn of(variable: &str, name: &'static str) -> Self {
        let text = std::env::var(variable).expect("the test of tests/e2e sets it");
        Self { service: ConnectionString::parse(&text).unwrap(), name }
    }

    fn authority(&self) -> &str {
        self.service.endpoint.split_once("://").unwrap().1
    }

    fn token(&self, mut claims: Value) -> String {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        claims["exp"] = (now + 3600).into();
        sign(&AccessKeys::new(&self.service.access_key, None).unwrap(), &claims.to_string())
    }

    fn url(&self, user: &str, roles: &[&str]) -> String {
        self.url_at(&self.service.endpoint, user, roles)
    }

    /// For a service that clients reach at this endpoint.
    fn url_at(&self, endpoint: &str, user: &str, roles: &[&str]) -> String {
        let audience = format!("{endpoint}/client/hubs/{}", self.name);
        let token = self.token(json!({ "aud": audience, "sub": user, "role": roles }));
        format!("{}?access_token={token}", audience.replacen("http", "ws", 1))
    }

    /// A started client that may do everything, with its events from there, and its connection's id.
    async fn connect(&self, user: &str, protocol: Subprotocol) -> (WebPubSubClient, Events, String) {
        start(WebPubSubClient::builder(self.url(user, ALL_ROLES)).protocol(protocol)).await
    }

    /// One REST call, which has to be accepted.
    async fn post(&self, path: &str, content_type: &str, body: &str) {
        let target = format!("/api/hubs/{}/{path}?api-version=2024-12-01", self.name);
        let token = self.token(json!({ "aud": format!("{}{target}", self.service.endpoint) }));
        let mut stream = TcpStream::connect(self.authority()).await.unwrap();
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.authority(),
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    }
}

async fn start(builder: webpubsub::Builder) -> (WebPubSubClient, Events, String) {
    let client = builder.build().unwrap();
    let mut events = client.events();
    within(client.start()).await.unwrap();
    let Event::Connected { connection_id, .. } = next(&mut events).await else { panic!("not connected") };
    (client, events, connection_id)
}

#[tokio::test]
async fn the_rust_client_speaks_every_subprotocol() {
    let hub = Hub::new("rust_subprotocols");
    for protocol in
        [Subprotocol::Json, Subprotocol::JsonReliable, Subprotocol::Protobuf, Subprotocol::ProtobufReliable]
    {
        let (client, _events, _) = hub.connect("alice", protocol).await;
        let mut room = client.group_messages("room").unwrap();
        client.join_group("room").await.unwrap();
        let sent = [
            Data::from("ü"),
            Data::json(&json!({ "number": u64::MAX })).unwrap(),
            Data::from(vec![0, 255]),
            Data::protobuf(vec![10, 1, b'a']).unwrap(),
        ];
        for data in sent {
            client.send_to_group("room", data.clone()).await.unwrap();
            let message = within(room.next()).await.unwrap().unwrap();
            assert_eq!(message.data(), &data);
            // Protobuf's data messages have no field for the user.
            let is_json = matches!(protocol, Subprotocol::Json | Subprotocol::JsonReliable);
            assert_eq!(message.from_user(), is_json.then_some("alice"));
            assert_eq!(message.sequence_id().is_some(), protocol.is_reliable());
        }
        client.send_to_group("room", "skipped").no_echo().await.unwrap();
        client.leave_group("room").await.unwrap();
        client.send_to_group("room", "not a member").await.unwrap();
        hub.post("groups/room/:send", "text/plain", "nor here").await;
        client.join_group("room").await.unwrap();
        hub.post("groups/room/:send", "application/json", "[1]").await;
        let message = within(room.next()).await.unwrap().unwrap();
        assert_eq!((message.json::<[u8; 1]>().unwrap(), message.from_user()), ([1], None));
        within(client.stop()).await;
    }
}

#[tokio::test]
async fn the_rust_client_reports_what_was_refused() {
    let hub = Hub::new("rust_refusals");
    let retry = Retry { max_retries: 0, ..server::QUICK };
    let builder = WebPubSubClient::builder(hub.url("bob", &[])).message_retry(retry);
    let (client, ..) = start(builder).await;
    let error = client.join_group("secret").await.unwrap_err();
    assert!(matches!(&error, SendError::Refused { ack_id: 1, .. }), "{error:?}");
    assert_eq!(error.refusal().unwrap().name, AckError::FORBIDDEN);
    assert!(!error.refusal().unwrap().message.is_empty());
    let error = within(client.invoke("unhandled", "hi").into_future()).await.unwrap_err();
    assert!(matches!(error, InvokeError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn the_rust_client_recovers_every_drop_without_a_loss() {
    const MESSAGES: usize = 400;
    let hub = Hub::new("rust_recovery");
    let cable = Cable::to(hub.authority()).await;
    for protocol in [Subprotocol::JsonReliable, Subprotocol::ProtobufReliable] {
        let url = hub.url_at(&format!("http://{}", cable.authority), "carol", ALL_ROLES);
        let (subscriber, mut events, _) = start(WebPubSubClient::builder(url).protocol(protocol)).await;
        let (publisher, ..) = hub.connect("dan", Subprotocol::Json).await;
        let mut room = subscriber.group_messages("room").unwrap();
        subscriber.join_group("room").await.unwrap();
        let publish = async {
            for number in 0..MESSAGES {
                publisher.send_to_group_json("room", &number).await.unwrap();
                if number % 80 == 40 {
                    cable.cut();
                }
            }
        };
        let read = async {
            for expected in 0..MESSAGES {
                let message = within(room.next()).await.unwrap().unwrap();
                assert_eq!(message.json::<usize>().unwrap(), expected);
            }
        };
        tokio::join!(publish, read);
        let mut recoveries = 0;
        let mut read = 0;
        while read < MESSAGES {
            match next(&mut events).await {
                Event::Message(_) => read += 1,
                Event::Recovered { .. } => recoveries += 1,
                Event::Recovering { .. } => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        assert!(recoveries >= 1, "no link was cut");
        within(subscriber.stop()).await;
    }
}

#[tokio::test]
async fn the_rust_client_does_once_what_a_drop_interrupts() {
    let hub = Hub::new("rust_once");
    let cable = Cable::to(hub.authority()).await;
    let url = hub.url_at(&format!("http://{}", cable.authority), "erin", ALL_ROLES);
    let (client, ..) = start(WebPubSubClient::builder(url)).await;
    let (_reader, mut events, _) = {
        let (reader, events, id) = hub.connect("frank", Subprotocol::JsonReliable).await;
        reader.join_group("room").await.unwrap();
        (reader, events, id)
    };
    for number in 0..20_u64 {
        let send = client.send_to_group_json("room", &number).ack_id(1000 + number).into_future();
        let (sent, ()) = tokio::join!(send, async {
            tokio::task::yield_now().await;
            if number % 4 == 0 {
                cable.cut();
            }
        });
        sent.unwrap();
        let Event::Message(message) = next(&mut events).await else { panic!("no message") };
        assert_eq!(message.json::<u64>().unwrap(), number);
    }
}

#[tokio::test]
async fn the_rust_client_connects_anew_after_a_close() {
    let hub = Hub::new("rust_close");
    let (client, mut events, connection) = hub.connect("grace", Subprotocol::JsonReliable).await;
    client.join_group("room").await.unwrap();
    hub.post(":closeConnections", "text/plain", "").await;
    let Event::Disconnected { connection_id, next: then, .. } = next(&mut events).await else {
        panic!("another event")
    };
    assert_eq!((connection_id.as_deref(), then), (Some(&*connection), Next::Reconnect));
    let Event::Connected { connection_id, user_id } = next(&mut events).await else {
        panic!("another event")
    };
    assert_ne!(connection_id, connection);
    assert_eq!(user_id.as_deref(), Some("grace"));
    hub.post("groups/room/:send", "text/plain", "again").await;
    let Event::Message(message) = next(&mut events).await else { panic!("no message") };
    assert_eq!(message.text(), Some("again"));
}

#[tokio::test]
async fn the_rust_client_sends_and_receives_streams() {
    let hub = Hub::new("rust_streams");
    for protocol in
        [Subprotocol::Json, Subprotocol::JsonReliable, Subprotocol::Protobuf, Subprotocol::ProtobufReliable]
    {
        let (publisher, ..) = hub.connect("ivan", protocol).await;
        let (subscriber, ..) = hub.connect("judy", protocol).await;
        let mut streams = subscriber.group_streams(GroupStreamOptions::default().group("room"));
        subscriber.join_group("room").await.unwrap();
        let sent = [Data::from("ü"), Data::json(&json!({ "number": 1 })).unwrap(), Data::from(vec![0, 255])];
        let writer = publisher.open_group_stream("room").await.unwrap();
        for data in &sent {
            writer.write(data.clone()).await.unwrap();
        }
        let mut stream = within(streams.next()).await.unwrap().unwrap();
        assert_eq!((stream.group(), stream.id()), ("room", writer.id()));
        within(writer.end()).await.unwrap();
        for (number, data) in (1..).zip(&sent) {
            let piece = within(stream.next()).await.unwrap().unwrap();
            assert_eq!((piece.data(), piece.stream_sequence_id()), (data, Some(number)));
        }
        assert!(within(stream.next()).await.is_none());

        let writer = publisher.open_group_stream("room").stream_id("s").await.unwrap();
        within(writer.abort("Too hot.")).await.unwrap();
        let mut stream = within(streams.next()).await.unwrap().unwrap();
        let error = within(stream.next()).await.unwrap().unwrap_err();
        let expected = StreamError::of_user(Some("Too hot.".to_owned()), None);
        assert_eq!(error, GroupStreamError::Failed(expected));
        within(publisher.stop()).await;
        within(subscriber.stop()).await;
    }
    let url = hub.url("mallory", &[]);
    let (stranger, ..) = start(WebPubSubClient::builder(url)).await;
    let error = stranger.open_group_stream("room").await.unwrap_err();
    let GroupStreamWriteError::Stream(StreamFailure::Closed(error)) = error else { panic!("{error}") };
    assert_eq!(error.name, AckError::FORBIDDEN);
}

#[tokio::test]
async fn the_rust_client_goes_on_with_streams_after_drops() {
    const PIECES: u64 = 300;
    let hub = Hub::new("rust_stream_recovery");
    let (near, far) = (Cable::to(hub.authority()).await, Cable::to(hub.authority()).await);
    for protocol in [Subprotocol::JsonReliable, Subprotocol::ProtobufReliable] {
        let url = |cable: &Cable, user| hub.url_at(&format!("http://{}", cable.authority), user, ALL_ROLES);
        let builder = WebPubSubClient::builder(url(&near, "ken")).protocol(protocol);
        let (publisher, mut events, _) = start(builder).await;
        let builder = WebPubSubClient::builder(url(&far, "lara")).protocol(protocol);
        let (subscriber, ..) = start(builder).await;
        let mut streams = subscriber.group_streams(GroupStreamOptions::default());
        subscriber.join_group("room").await.unwrap();
        let write = async {
            let writer = publisher.open_group_stream("room").await.unwrap();
            for number in 1..=PIECES {
                writer.write_json(&number).await.unwrap();
                match number % 60 {
                    20 => near.cut(),
                    40 => far.cut(),
                    _ => {}
                }
                if number % 10 == 0 {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            }
            writer.end().await.unwrap();
        };
        let read = async {
            let mut stream = within(streams.next()).await.unwrap().unwrap();
            for expected in 1..=PIECES {
                let piece = within(stream.next()).await.unwrap().unwrap();
                let got = (piece.json::<u64>().unwrap(), piece.stream_sequence_id());
                assert_eq!(got, (expected, Some(expected)));
            }
            assert!(within(stream.next()).await.is_none());
        };
        within(async { tokio::join!(write, read) }).await;
        let Event::Recovering { .. } = next(&mut events).await else { panic!("no link was cut") };
        within(publisher.stop()).await;
        within(subscriber.stop()).await;
    }
}

#[tokio::test]
async fn the_rust_client_shows_and_lists_group_states() {
    let hub = Hub::new("rust_states");
    let cable = Cable::to(hub.authority()).await;
    for protocol in [Subprotocol::JsonReliable, Subprotocol::ProtobufReliable] {
        let url = hub.url_at(&format!("http://{}", cable.authority), "nina", ALL_ROLES);
        let (watcher, mut events, _) = start(WebPubSubClient::builder(url).protocol(protocol)).await;
        let (member, _, connection) = hub.connect("oscar", protocol).await;
        member.join_group("room").await.unwrap();
        member.set_group_state("room", [("status", "here")]).await.unwrap();
        watcher.subscribe_group_states("room").await.unwrap();
        let listed = states(&mut events, &watcher).await;
        let [record] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!((&record.connection_id, record.user_id.as_deref()), (&connection, Some("oscar")));
        assert_eq!(record.state.get("status").map(String::as_str), Some("here"));

        cable.cut();
        assert!(matches!(next(&mut events).await, Event::Recovering { .. }));
        member.set_group_state("room", [("status", "away")]).await.unwrap();
        assert!(matches!(next(&mut events).await, Event::Recovered { .. }));
        let listed = states(&mut events, &watcher).await;
        assert_eq!(listed[0].state.get("status").map(String::as_str), Some("away"));

        member.clear_group_state("room").await.unwrap();
        assert_eq!(states(&mut events, &watcher).await, []);
        member.set_group_state("room", [("status", "back")]).await.unwrap();
        states(&mut events, &watcher).await;
        member.leave_group("room").await.unwrap();
        assert_eq!(states(&mut events, &watcher).await, []);
        watcher.unsubscribe_group_states("room").await.unwrap();
        within(watcher.stop()).await;
    }
}

/// What the group `room` shows once it has changed.
async fn states(events: &mut Events, client: &WebPubSubClient) -> Vec<webpubsub::GroupStateRecord> {
    match next(events).await {
        Event::GroupStatesChanged { .. } => client.list_group_states("room").unwrap(),
        other => panic!("unexpected {other:?}"),
    }
}

#[tokio::test]
async fn the_rust_client_speaks_tls() {
    let hub = Hub::of("WEBPUBSUB_TEST_SECURE", "rust_tls");
    let mut roots = RootCertStore::empty();
    let authority = std::env::var("WEBPUBSUB_TEST_AUTHORITY").expect("the test of tests/e2e sets it");
    for certificate in CertificateDer::pem_file_iter(authority).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let url = hub.url("heidi", ALL_ROLES);
    assert!(url.starts_with("wss://"), "{url}");
    let (client, mut events, _) = start(WebPubSubClient::builder(url).tls(config)).await;
    client.join_group("room").await.unwrap();
    client.send_to_group("room", "x".repeat(500_000)).await.unwrap();
    let Event::Message(message) = next(&mut events).await else { panic!("no message") };
    assert_eq!(message.text().map(str::len), Some(500_000));
    within(client.stop()).await;
}
