//! What the host for browsers adds to the session: sockets, timers, credentials and JavaScript values.

#![cfg(target_arch = "wasm32")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may"
)]

use std::error::Error as _;
use std::time::Duration;

use futures_util::future::join;
use futures_util::{StreamExt as _, poll};
use gloo_timers::future::sleep;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use webpubsub::{
    CloseCode, ConnectError, Credential, Data, Event, Events, GroupStreamOptions, JsError, Next, Retry,
    RetryMode, SendError, StartError, Subprotocol, WebPubSubClient,
};

use webpubsub_protocol::client::{DownstreamMessage, Origin, protobuf};
use webpubsub_protocol::data::{MessageData, Metadata};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = useFake)]
    fn use_fake();
    #[wasm_bindgen(js_name = useReal)]
    fn use_real();
    #[wasm_bindgen(js_name = socketCount)]
    fn socket_count() -> usize;
    #[wasm_bindgen(js_name = urlOf)]
    fn url_of(index: usize) -> String;
    #[wasm_bindgen(js_name = protocolOf)]
    fn protocol_of(index: usize) -> String;
    #[wasm_bindgen(js_name = isClosing)]
    fn is_closing(index: usize) -> bool;
    #[wasm_bindgen(js_name = takeSent)]
    fn take_sent(index: usize) -> Vec<String>;
    #[wasm_bindgen(js_name = setBuffered)]
    fn set_buffered(index: usize, bytes: u32);
    fn open(index: usize);
    fn say(index: usize, text: &str);
    #[wasm_bindgen(js_name = sayBytes)]
    fn say_bytes(index: usize, bytes: &[u8]);
    fn end(index: usize, code: u16, reason: &str);
    #[wasm_bindgen(js_name = answerFetch)]
    fn answer_fetch(status: Option<u16>, text: &str);
}

const URL: &str = "ws://service/client/hubs/chat?access_token=t";

const QUICK: Retry = Retry {
    max_retries: 3,
    delay: Duration::from_millis(10),
    max_delay: Duration::from_millis(10),
    mode: RetryMode::Fixed,
};

/// Waits for something that has to come.
async fn until(mut what: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if what() {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come");
}

async fn next(events: &mut Events) -> Event {
    events.next().await.expect("the stream has ended")
}

fn client(credential: impl Into<Credential>) -> WebPubSubClient {
    use_fake();
    WebPubSubClient::builder(credential).message_retry(QUICK).reconnect_retry(QUICK).build().unwrap()
}

/// Opens a socket that is on its way, and has the service say `connected` on it.
async fn accept(index: usize) {
    until(|| socket_count() > index).await;
    open(index);
    say(index, r#"{"type":"system","event":"connected","connectionId":"c1","reconnectionToken":"r1"}"#);
}

async fn connected() -> (WebPubSubClient, Events) {
    let client = client(URL);
    let mut events = client.events();
    let (started, ()) = join(client.start(), accept(0)).await;
    started.unwrap();
    assert!(matches!(next(&mut events).await, Event::Connected { user_id: None, .. }));
    (client, events)
}

#[wasm_bindgen_test]
async fn calls_are_sent_and_acknowledged() {
    let (client, _events) = connected().await;
    assert_eq!((url_of(0), protocol_of(0)), (URL.to_owned(), "json.reliable.webpubsub.azure.v1".to_owned()));
    let script = async {
        until(|| take_sent(0) == [r#"{"type":"joinGroup","group":"room","ackId":1}"#]).await;
        say(0, r#"{"type":"ack","ackId":1,"success":true}"#);
        until(|| take_sent(0).iter().any(|text| text.contains("sendToGroup"))).await;
        say(0, r#"{"type":"ack","ackId":2,"success":false,"error":{"name":"Forbidden","message":"No."}}"#);
        for ack_id in 3..=5 {
            until(|| !take_sent(0).is_empty()).await;
            say(
                0,
                &format!(
                    r#"{{"type":"ack","ackId":{ack_id},"success":false,"error":{{"name":"Forbidden","message":"No."}}}}"#
                ),
            );
        }
    };
    let calls = async {
        assert_eq!(client.join_group("room").await.unwrap().ack_id, Some(1));
        let error = client.send_to_group_json("room", &[1, 2]).no_echo().await.unwrap_err();
        assert!(matches!(&error, SendError::Refused { error, .. } if error.name == "Forbidden"), "{error}");
    };
    join(script, calls).await;
}

#[wasm_bindgen_test]
async fn messages_reach_their_streams_and_garbage_is_skipped() {
    let (client, mut events) = connected().await;
    let mut room = client.group_messages("room").unwrap();
    for garbage in ["", "{", "[]", r#"{"type":"new"}"#, r#"{"type":"ack","ackId":9,"success":true}"#] {
        say(0, garbage);
    }
    say_bytes(0, &[1, 2]);
    say(
        0,
        r#"{"type":"message","from":"group","group":"room","dataType":"json","data":[9007199254740993],"sequenceId":1}"#,
    );
    let message = room.next().await.unwrap().unwrap();
    assert_eq!(message.json::<[u64; 1]>().unwrap(), [9_007_199_254_740_993]);
    assert!(matches!(next(&mut events).await, Event::Message(_)));
}

#[wasm_bindgen_test]
async fn protobuf_frames_are_bytes_both_ways() {
    use_fake();
    let client = WebPubSubClient::builder(URL).protocol(Subprotocol::Protobuf).build().unwrap();
    let (started, ()) = join(client.start(), async {
        until(|| socket_count() > 0).await;
        open(0);
    })
    .await;
    started.unwrap();
    assert_eq!(protocol_of(0), "protobuf.webpubsub.azure.v1");
    client.send_to_group("g", "hi").fire_and_forget().await.unwrap();
    until(|| take_sent(0).iter().any(|frame| frame.ends_with("bytes"))).await;
    let mut events = client.events();
    let message = DownstreamMessage::Data {
        from: Origin::Server,
        data: MessageData::Text("hi".to_owned()),
        metadata: Metadata::default(),
        sequence_id: None,
        stream: None,
    };
    say_bytes(0, &protobuf::encode_downstream(message));
    let Event::Message(message) = next(&mut events).await else { panic!("no message") };
    assert_eq!(message.text(), Some("hi"));
}

#[wasm_bindgen_test]
async fn a_cut_link_is_recovered() {
    let (client, mut events) = connected().await;
    end(0, 1006, "");
    assert!(matches!(next(&mut events).await, Event::Recovering { .. }));
    accept(1).await;
    assert!(url_of(1).ends_with("&awps_connection_id=c1&awps_reconnection_token=r1"), "{}", url_of(1));
    assert!(matches!(next(&mut events).await, Event::Recovered { .. }));
    drop(client);
}

#[wasm_bindgen_test]
async fn a_1008_leads_to_a_new_connection() {
    let (_client, mut events) = connected().await;
    end(0, 1008, "full");
    let Event::Disconnected { close, next: then, .. } = next(&mut events).await else { panic!("another") };
    assert_eq!((close.code, &*close.reason, then), (CloseCode(1008), "full", Next::Reconnect));
    accept(1).await;
    assert_eq!(url_of(1), URL);
    assert!(matches!(next(&mut events).await, Event::Connected { .. }));
}

#[wasm_bindgen_test]
async fn a_silent_service_is_given_up() {
    use_fake();
    let timeout = Duration::from_millis(60);
    let client = WebPubSubClient::builder(URL).keep_alive_timeout(timeout).build().unwrap();
    let mut events = client.events();
    let (started, ()) = join(client.start(), accept(0)).await;
    started.unwrap();
    assert!(matches!(next(&mut events).await, Event::Connected { .. }));
    assert!(matches!(next(&mut events).await, Event::Recovering { .. }));
    assert!(is_closing(0));
}

#[wasm_bindgen_test]
async fn a_stop_closes_the_socket_behind_what_was_sent() {
    let (client, mut events) = connected().await;
    client.send_to_group("g", "last").fire_and_forget().await.unwrap();
    client.stop().await;
    assert!(is_closing(0));
    assert!(take_sent(0).iter().any(|text| text.contains("last")));
    let Event::Disconnected { close, .. } = next(&mut events).await else { panic!("another") };
    assert_eq!(close.code, CloseCode::NO_STATUS);
    assert!(matches!(next(&mut events).await, Event::Stopped { .. }));
    // It starts again.
    let (started, ()) = join(client.start(), accept(1)).await;
    started.unwrap();
}

#[wasm_bindgen_test]
async fn the_last_handle_closes_the_socket_and_ends_the_streams() {
    let (client, mut events) = connected().await;
    drop(client);
    until(|| is_closing(0)).await;
    assert!(matches!(next(&mut events).await, Event::Disconnected { .. }));
    assert!(matches!(next(&mut events).await, Event::Stopped { .. }));
    assert!(events.next().await.is_none());
}

#[wasm_bindgen_test]
async fn a_dropped_invocation_is_cancelled() {
    let (client, _events) = connected().await;
    let mut invocation = client.invoke("add", "x").into_future();
    assert!(poll!(invocation.as_mut()).is_pending());
    until(|| take_sent(0).iter().any(|text| text.contains("invoke"))).await;
    drop(invocation);
    until(|| take_sent(0) == [r#"{"type":"cancelInvocation","invocationId":"1"}"#]).await;
}

#[wasm_bindgen_test]
async fn streams_are_sent_and_received() {
    let (client, _events) = connected().await;
    let mut streams = client.group_streams(GroupStreamOptions::default());
    let (writer, ()) = join(client.open_group_stream("g").stream_id("s").into_future(), async {
        until(|| take_sent(0).iter().any(|text| text.contains(r#""streamId":"s""#))).await;
        say(0, r#"{"type":"streamAck","streamId":"s","expectedSequenceId":1}"#);
    })
    .await;
    let writer = writer.unwrap();
    writer.write("a").await.unwrap();
    let (ended, ()) = join(writer.end(), async {
        say(0, r#"{"type":"streamAck","streamId":"s","expectedSequenceId":2}"#);
        until(|| take_sent(0).iter().any(|text| text.contains("streamEnd"))).await;
        say(0, r#"{"type":"streamClosed","streamId":"s"}"#);
    })
    .await;
    ended.unwrap();
    say(
        0,
        r#"{"type":"message","from":"group","group":"g","dataType":"text","data":"b","sequenceId":1,"stream":{"streamId":"t","streamSequenceId":1}}"#,
    );
    let mut stream = streams.next().await.unwrap().unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().text(), Some("b"));
}

#[wasm_bindgen_test]
async fn group_states_are_set_and_received() {
    let (client, mut events) = connected().await;
    for (call, kind) in [
        (client.set_group_state("g", [("a", "b")]), "setGroupState"),
        (client.subscribe_group_states("g"), "subscribeGroupState"),
    ] {
        let (done, ()) = join(call.into_future(), async {
            let mut sent = Vec::new();
            until(|| {
                sent.extend(take_sent(0));
                sent.iter().any(|text| text.contains(kind))
            })
            .await;
            let ack_id = if kind == "setGroupState" { 1 } else { 2 };
            say(0, &format!(r#"{{"type":"ack","ackId":{ack_id},"success":true}}"#));
        })
        .await;
        done.unwrap();
    }
    say(
        0,
        r#"{"type":"groupStateSnapshot","group":"g","items":[{"connectionId":"c2","state":{"c":"d"},"updatedAt":5}],"sequenceId":1}"#,
    );
    assert!(matches!(next(&mut events).await, Event::GroupStatesChanged { .. }));
    let listed = client.list_group_states("g").unwrap();
    assert_eq!(listed[0].state.get("c").map(String::as_str), Some("d"));
    assert_eq!(client.group_state("g").unwrap().get("a").map(String::as_str), Some("b"));
}

#[wasm_bindgen_test]
async fn a_slow_link_makes_senders_wait() {
    let (client, _events) = connected().await;
    set_buffered(0, 1 << 20);
    let mut send = client.send_to_group("g", "waits").fire_and_forget().into_future();
    assert!(poll!(send.as_mut()).is_pending());
    sleep(Duration::from_millis(100)).await;
    assert!(take_sent(0).is_empty());
    set_buffered(0, 0);
    send.await.unwrap();
    assert!(take_sent(0)[0].contains("waits"));
}

#[wasm_bindgen_test]
async fn each_failed_start_says_what_went_wrong() {
    let error = client("http").start().await.unwrap_err();
    assert!(error.source().is_some());
    assert!(matches!(error, StartError::Connect { error: ConnectError::InvalidUrl, .. }), "{error}");

    let refused = client(URL);
    let (started, ()) = join(refused.start(), async {
        until(|| socket_count() > 0).await;
        end(0, 1006, "");
    })
    .await;
    let abnormal = ConnectError::Closed { code: CloseCode::ABNORMAL };
    assert!(matches!(started, Err(StartError::Connect { error, .. }) if error == abnormal));

    // The browser's own, at a port where no one listens.
    use_real();
    let client = WebPubSubClient::builder("ws://127.0.0.1:9/").build().unwrap();
    assert!(matches!(client.start().await, Err(StartError::Connect { error, .. }) if error == abnormal));
}

#[wasm_bindgen_test]
async fn a_negotiate_endpoint_gives_the_url() {
    for answer in [URL.to_owned(), format!(" {URL}\n"), format!(r#"{{"url":"{URL}","other":1}}"#)] {
        let client = client(Credential::negotiate("/negotiate"));
        answer_fetch(Some(200), &answer);
        let (started, ()) = join(client.start(), accept(0)).await;
        started.unwrap();
        assert_eq!(url_of(0), URL);
    }
    for (status, answer, expected) in [
        (Some(403), URL, "the endpoint answered with HTTP 403"),
        (Some(200), "<html>", "the answer has no URL"),
        (None, "", "the request failed"),
    ] {
        let client = client(Credential::negotiate("/negotiate"));
        answer_fetch(status, answer);
        let error = client.start().await.unwrap_err();
        let source = error.source().unwrap().to_string();
        assert!(source.starts_with(expected), "{source}");
        assert!(matches!(error, StartError::Connect { error: ConnectError::Credential, .. }), "{error}");
    }
    use_real();
}

#[wasm_bindgen_test]
fn javascript_values_are_payloads_and_back() {
    let parse = |json: &str| js_sys::JSON::parse(json).unwrap();
    for json in [r#"{"a":[1,null,{"b":"ü"}],"c":1.5,"d":true}"#, "9007199254740991", r#""text""#, "[]"] {
        let data = Data::from_js(&parse(json)).unwrap();
        let back = js_sys::JSON::stringify(&data.to_js().unwrap()).unwrap();
        assert_eq!(String::from(back), json);
    }
    for value in [JsValue::NULL, JsValue::UNDEFINED] {
        assert!(matches!(Data::from_js(&value), Err(JsError::Data(_))));
    }
    assert!(matches!(Data::from_js(&JsValue::symbol(None)), Err(JsError::NotJson { .. })));
    // No number of JavaScript's, so nothing is rounded.
    assert!(matches!(Data::json_text("9007199254740993").unwrap().to_js(), Err(JsError::NotJson { .. })));
    assert!(matches!(Data::from("text").to_js(), Err(JsError::Payload(_))));
}
