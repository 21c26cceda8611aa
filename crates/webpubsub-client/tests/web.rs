//! What the shell adds to the session: conversions, sockets, timers and errors, in a browser.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use futures_util::StreamExt as _;
use gloo_net::websocket::{WebSocketError, futures::WebSocket};
use js_sys::{ArrayBuffer, Function, Promise, Reflect, Uint8Array};
use serde::Serialize;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use webpubsub_client::{Client, Host};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = fakeHost)]
    fn fake_host() -> JsValue;
    #[wasm_bindgen(js_name = browserHost)]
    fn browser_host(closed: &Closure<dyn FnMut(u32, u16, String)>) -> JsValue;
    #[wasm_bindgen(js_name = takeCalls)]
    fn take_calls(host: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = takeSent)]
    fn take_sent(host: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = timesClosed)]
    fn times_closed(host: &JsValue) -> u32;
    #[wasm_bindgen(js_name = refuseUrls)]
    fn refuse_urls(host: &JsValue);
    #[wasm_bindgen(js_name = failSends)]
    fn fail_sends(host: &JsValue);
    #[wasm_bindgen(js_name = onMessage)]
    fn on_message(host: &JsValue, callback: &Function);
    #[wasm_bindgen(js_name = setClock)]
    fn set_clock(milliseconds: f64);
}

/// What the clock says, until a test sets it.
const NOW: f64 = 1_800_000_000_000.0;

const NONE: [Value; 0] = [];

/// A client with a host that remembers what it was asked.
struct Fixture {
    client: Client,
    host: JsValue,
}

fn client(settings: &Value) -> Fixture {
    set_clock(NOW);
    let host = fake_host();
    Fixture { client: Client::new(host.clone().unchecked_into(), &js(settings)), host }
}

/// A client as far as `connected`, with nothing in its host's memory.
fn connected(settings: &Value) -> Fixture {
    let fixture = client(settings);
    fixture.client.start(1);
    fixture.client.url_fetched(1, "wss://h/".to_owned());
    fixture.client.opened(1);
    fixture.receive(
        &json!({"type": "system", "event": "connected", "connectionId": "c1", "reconnectionToken": "t"}),
    );
    // The first ping has left, too.
    fixture.calls();
    fixture.sent();
    fixture
}

impl Fixture {
    /// What the host was asked since the last time.
    fn calls(&self) -> Vec<Value> {
        serde_wasm_bindgen::from_value(take_calls(&self.host)).unwrap()
    }

    /// The same, as far as it is of this name.
    fn calls_of(&self, name: &str) -> Vec<Value> {
        self.calls().into_iter().filter(|call| call[0] == name).collect()
    }

    /// The same without the timer.
    fn calls_but_timers(&self) -> Vec<Value> {
        self.calls().into_iter().filter(|call| call[0] != "setTimer").collect()
    }

    /// The frames that the socket was given since the last time.
    fn sent(&self) -> Vec<Value> {
        let sent: Vec<String> = serde_wasm_bindgen::from_value(take_sent(&self.host)).unwrap();
        sent.iter().map(|frame| serde_json::from_str(frame).unwrap()).collect()
    }

    /// The first attempt's socket brings a frame.
    fn receive(&self, frame: &Value) {
        self.client.received(1, &frame.to_string().into());
    }
}

/// The JavaScript value for this.
fn js(value: &Value) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap()
}

#[wasm_bindgen_test]
fn a_start_asks_for_a_url_and_opens_a_socket_with_one_protocol() {
    let fixture = client(&json!({}));
    fixture.client.start(7);
    assert_eq!(fixture.calls_but_timers(), [json!(["fetchUrl", 1])]);
    fixture.client.url_fetched(1, "wss://h/?t=1".to_owned());
    assert_eq!(
        fixture.calls_but_timers(),
        [json!(["openSocket", 1, "wss://h/?t=1", "json.reliable.webpubsub.azure.v1"])]
    );
    fixture.client.opened(1);
    assert_eq!(fixture.calls_but_timers(), [json!(["started", 7])]);
    assert_eq!(fixture.sent(), [json!({"type": "ping"})]);
    fixture
        .receive(&json!({"type": "system", "event": "connected", "connectionId": "c1", "userId": "alice"}));
    assert_eq!(fixture.calls_but_timers(), [json!(["connected", "c1", "alice"])]);
}

#[wasm_bindgen_test]
fn an_anonymous_user_has_no_id() {
    let fixture = client(&json!({}));
    fixture.client.start(1);
    fixture.client.url_fetched(1, "wss://h/".to_owned());
    fixture.client.opened(1);
    fixture.calls();
    fixture.receive(&json!({"type": "system", "event": "connected", "connectionId": "c1", "userId": null}));
    assert_eq!(fixture.calls_but_timers(), [json!(["connected", "c1", null])]);
}

#[wasm_bindgen_test]
fn every_problem_of_a_start_has_its_word() {
    let failed = |act: &dyn Fn(&Fixture)| {
        let fixture = client(&json!({}));
        fixture.client.start(1);
        fixture.calls();
        act(&fixture);
        fixture.calls_of("startFailed").pop().unwrap()
    };
    let url = |fixture: &Fixture| fixture.client.url_fetched(1, "wss://h/".to_owned());
    assert_eq!(failed(&|it| it.client.url_failed(1)), json!(["startFailed", 1, "credential", null]));
    assert_eq!(
        failed(&|it| {
            refuse_urls(&it.host);
            url(it);
        }),
        json!(["startFailed", 1, "invalid-url", null])
    );
    assert_eq!(
        failed(&|it| {
            url(it);
            it.client.connect_failed(1, true, Some(401));
        }),
        json!(["startFailed", 1, "refused", 401])
    );
    assert_eq!(
        failed(&|it| {
            url(it);
            it.client.connect_failed(1, true, None);
        }),
        json!(["startFailed", 1, "unreachable", null])
    );
    assert_eq!(
        failed(&|it| {
            url(it);
            it.client.connect_failed(1, false, None);
        }),
        json!(["startFailed", 1, "closed", 1006])
    );
    assert_eq!(
        failed(&|it| {
            url(it);
            it.client.closed(1, 1006, String::new());
        }),
        json!(["startFailed", 1, "closed", 1006])
    );
    assert_eq!(failed(&|it| it.client.stop()), json!(["startFailed", 1, "stopped", null]));
    assert_eq!(failed(&|it| it.client.abort(1)), json!(["startFailed", 1, "aborted", null]));
    assert_eq!(failed(&|it| it.client.start(2)), json!(["startFailed", 2, "not-stopped", null]));
    assert_eq!(
        failed(&|it| {
            url(it);
            it.client.opened(1);
            it.client.stop();
            it.client.start(2);
        }),
        json!(["startFailed", 2, "stopping", null])
    );
}

#[wasm_bindgen_test]
fn operations_become_frames_and_acks_become_answers() {
    let fixture = connected(&json!({}));
    let it = &fixture.client;
    it.join_group(2, "g".to_owned(), None).unwrap();
    it.leave_group(3, "é".to_owned(), Some(9_007_199_254_740_991.0)).unwrap();
    it.send_to_group(4, "g".to_owned(), &"hi \"\u{1f600}".into(), &"text".into(), true, false, None).unwrap();
    it.send_event(5, "e".to_owned(), &js(&json!({"a": [null, 1.5]})), &"json".into(), false, None).unwrap();
    it.send_event(6, "e".to_owned(), &Uint8Array::from([0, 255].as_slice()), &"binary".into(), true, None)
        .unwrap();
    assert_eq!(
        fixture.sent(),
        [
            json!({"type": "joinGroup", "group": "g", "ackId": 1}),
            json!({"type": "leaveGroup", "group": "é", "ackId": 9_007_199_254_740_991_u64}),
            json!({"type": "sendToGroup", "group": "g", "ackId": 2, "noEcho": true, "dataType": "text", "data": "hi \"\u{1f600}"}),
            json!({"type": "event", "event": "e", "ackId": 3, "dataType": "json", "data": {"a": [null, 1.5]}}),
            json!({"type": "event", "event": "e", "dataType": "binary", "data": "AP8="}),
        ]
    );
    assert_eq!(fixture.calls(), [json!(["done", 6, null, false])]);
    fixture.receive(&json!({"type": "ack", "ackId": 2, "success": true}));
    fixture.receive(
        &json!({"type": "ack", "ackId": 1, "success": false, "error": {"name": "Duplicate", "message": ""}}),
    );
    assert_eq!(fixture.calls_but_timers(), [json!(["done", 4, 2, false]), json!(["done", 2, 1, true])]);
}

#[wasm_bindgen_test]
fn invocations_become_frames_and_their_answers_come_back() {
    let fixture = connected(&json!({}));
    let it = &fixture.client;
    it.invoke_event(2, "e".to_owned(), &"hi".into(), &"text".into(), None).unwrap();
    it.invoke_event(3, "e".to_owned(), &js(&json!([1])), &"json".into(), Some("é".to_owned())).unwrap();
    it.abort(2);
    assert_eq!(
        fixture.sent(),
        [
            json!({"type": "invoke", "invocationId": "1", "target": "event", "event": "e", "dataType": "text", "data": "hi"}),
            json!({"type": "invoke", "invocationId": "é", "target": "event", "event": "e", "dataType": "json", "data": [1]}),
            json!({"type": "cancelInvocation", "invocationId": "1"}),
        ]
    );
    let aborted = json!(["invocationFailed", 2, "Invocation cancelled by abortSignal.", "1", null]);
    assert_eq!(fixture.calls_but_timers(), [aborted]);
    let answer = json!({"type": "invokeResponse", "invocationId": "é", "success": true, "dataType": "text", "data": ""});
    fixture.receive(&answer);
    assert_eq!(fixture.calls_but_timers(), [json!(["invoked", 3, answer])]);
    it.invoke_event(4, "e".to_owned(), &"hi".into(), &"text".into(), None).unwrap();
    let error = json!({"name": "BadRequest", "message": "no"});
    fixture
        .receive(&json!({"type": "invokeResponse", "invocationId": "2", "success": false, "error": error}));
    assert_eq!(fixture.calls_but_timers(), [json!(["invocationFailed", 4, "no", "2", "BadRequest: no"])]);
}

#[wasm_bindgen_test]
fn what_cannot_be_sent_throws_what_javascript_expects() {
    let fixture = connected(&json!({}));
    let it = &fixture.client;
    let send = |content: &JsValue, data_type: &str| {
        it.send_to_group(2, "g".to_owned(), content, &data_type.into(), false, false, None).unwrap_err()
    };
    for (error, message) in [
        (send(&1.into(), "text"), "Message must be a string."),
        (send(&"hi".into(), "binary"), "Message must be a ArrayBuffer"),
        (send(&JsValue::NULL, "json"), "Message must be a JSON value other than null."),
    ] {
        let error: js_sys::TypeError = error.dyn_into().unwrap();
        assert_eq!(error.message(), message);
    }
    let error: js_sys::Error = it.join_group(2, " ".to_owned(), None).unwrap_err().dyn_into().unwrap();
    assert_eq!(error.message(), "A group name is 1 to 1024 characters, not all of them white space.");
    let error = it.send_event(2, "1".to_owned(), &"hi".into(), &"text".into(), false, None).unwrap_err();
    assert!(error.is_instance_of::<js_sys::Error>());
    assert!(fixture.sent().is_empty());
    assert_eq!(fixture.calls(), NONE);
}

#[wasm_bindgen_test]
fn every_failure_of_an_operation_has_the_official_message() {
    let settings = json!({"messageRetryOptions": {"maxRetries": 0}});
    let fixture = connected(&settings);
    let it = &fixture.client;
    for call in 2..=4 {
        it.join_group(call, "g".to_owned(), None).unwrap();
    }
    fixture.receive(&json!({"type": "ack", "ackId": 1, "success": false, "error": {"name": "Forbidden", "message": "No."}}));
    it.abort(3);
    it.closed(1, 1006, String::new());
    it.join_group(5, "g".to_owned(), None).unwrap();
    it.send_event(6, "e".to_owned(), &"hi".into(), &"text".into(), true, None).unwrap();
    assert_eq!(
        fixture.calls_of("failed"),
        [
            json!(["failed", 2, "Failed to send message.", 1, "Forbidden: No."]),
            json!(["failed", 3, "Cancelled by abortSignal", 2, null]),
            json!(["failed", 4, "Connection is disconnected before receive ack from the service", 3, null]),
            json!(["failed", 5, "The connection is not connected.", 4, null]),
            json!(["failed", 6, "The connection is not connected.", null, null]),
        ]
    );
}

#[wasm_bindgen_test]
fn messages_reach_the_host_as_the_values_that_json_gave() {
    let fixture = connected(&json!({}));
    let frame = json!({
        "type": "message", "from": "group", "group": "g", "fromUserId": "bob", "sequenceId": 1,
        "dataType": "json", "data": {"a": [1]}, "metadata": {"k": "v"}, "more": true
    });
    fixture.receive(&frame);
    let mut expected = frame;
    expected["kind"] = "groupData".into();
    assert_eq!(fixture.calls_but_timers(), [json!(["message", expected])]);

    fixture.receive(&json!({"type": "message", "from": "server", "dataType": "protobuf", "data": "AP8="}));
    let calls: js_sys::Array = take_calls(&fixture.host).unchecked_into();
    let message = calls.get(0).unchecked_into::<js_sys::Array>().get(1);
    assert_eq!(Reflect::get(&message, &"kind".into()).unwrap(), "serverData");
    let data: ArrayBuffer = Reflect::get(&message, &"data".into()).unwrap().dyn_into().unwrap();
    assert_eq!(Uint8Array::new(&data).to_vec(), [0, 255]);
}

#[wasm_bindgen_test]
fn what_is_no_frame_is_a_sign_of_life_and_nothing_more() {
    let fixture = connected(&json!({}));
    for data in
        ["", "{", "null", "[]", "{}", r#"{"type":"pong"}"#, r#"{"type":"system","event":"connected"}"#]
    {
        fixture.client.received(1, &data.into());
    }
    fixture.client.received(1, &JsValue::UNDEFINED);
    fixture.client.received(1, &Uint8Array::new_with_length(2).buffer());
    assert_eq!(fixture.calls(), NONE);
}

#[wasm_bindgen_test]
fn a_listener_that_calls_back_gets_in_between_nothing() {
    let fixture = std::rc::Rc::new(connected(&json!({})));
    let listener = Closure::<dyn Fn()>::new({
        let fixture = fixture.clone();
        move || {
            fixture.client.join_group(2, "g".to_owned(), None).unwrap();
            fixture.client.stop();
        }
    });
    on_message(&fixture.host, listener.as_ref().unchecked_ref());
    fixture.receive(
        &json!({"type": "message", "from": "server", "dataType": "text", "data": "hi", "sequenceId": 301}),
    );
    let types: Vec<_> = fixture.sent().into_iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(types, ["sequenceAck", "joinGroup"]);
    assert_eq!(times_closed(&fixture.host), 1);
}

#[wasm_bindgen_test]
fn a_close_is_reported_with_its_code_and_reason() {
    let fixture = connected(&json!({"autoReconnect": false, "reliable": false}));
    fixture.receive(&json!({"type": "system", "event": "disconnected", "message": "Bye."}));
    fixture.client.closed(1, 1001, "going away".to_owned());
    assert_eq!(
        fixture.calls_but_timers(),
        [
            json!(["disconnected", "c1", "Bye.", 1001, "going away", false]),
            json!(["stopped", 1001, "going away"])
        ]
    );
}

#[wasm_bindgen_test]
fn a_lost_link_is_recovered_and_the_old_socket_is_ignored() {
    let fixture = connected(&json!({}));
    fixture.client.closed(1, 1006, String::new());
    assert_eq!(
        fixture.calls_but_timers(),
        [
            json!(["recovering", "c1"]),
            json!([
                "openSocket",
                2,
                "wss://h/?awps_connection_id=c1&awps_reconnection_token=t",
                "json.reliable.webpubsub.azure.v1"
            ])
        ]
    );
    fixture.client.opened(2);
    assert_eq!(fixture.calls_but_timers(), NONE);
    fixture.client.received(2, &json!({"type": "pong"}).to_string().into());
    assert_eq!(fixture.calls_but_timers(), [json!(["recovered", "c1"])]);
    fixture.receive(&json!({"type": "message", "from": "server", "dataType": "text", "data": "late"}));
    fixture.client.closed(1, 1008, String::new());
    assert_eq!(fixture.calls_but_timers(), NONE);
}

#[wasm_bindgen_test]
fn a_socket_that_throws_disturbs_nothing() {
    let fixture = connected(&json!({}));
    fail_sends(&fixture.host);
    fixture.client.join_group(2, "g".to_owned(), None).unwrap();
    assert_eq!(fixture.calls(), NONE);
}

#[wasm_bindgen_test]
fn the_timer_is_set_to_the_next_moment_that_matters() {
    let fixture = client(&json!({"keepAliveIntervalInMs": 30_000, "keepAliveTimeoutInMs": 0}));
    let timers = || fixture.calls_of("setTimer").into_iter().map(|call| call[1].clone()).collect::<Vec<_>>();
    fixture.client.start(1);
    assert_eq!(timers(), [120_000]);
    fixture.client.url_fetched(1, "wss://h/".to_owned());
    assert_eq!(timers(), NONE);
    fixture.client.opened(1);
    assert_eq!(timers(), [30_000]);
    fixture.receive(&json!({"type": "system", "event": "connected", "connectionId": "c1"}));
    assert_eq!(timers(), NONE);
    for id in 1..10 {
        fixture.receive(
            &json!({"type": "message", "from": "server", "dataType": "text", "data": "hi", "sequenceId": id}),
        );
    }
    assert_eq!(timers(), [1000]);
    fixture.client.stop();
    assert_eq!(timers(), NONE);
    fixture.client.closed(1, 1005, String::new());
    assert_eq!(timers(), [Value::Null]);
}

#[wasm_bindgen_test]
fn setting_the_clock_back_stops_no_timer() {
    let fixture = connected(&json!({"keepAliveTimeoutInMs": 0}));
    set_clock(NOW + 15_000.0);
    fixture.client.timeout();
    assert_eq!(fixture.calls(), [json!(["setTimer", 5000])]);
    set_clock(NOW - 3_600_000.0);
    fixture.client.timeout();
    assert_eq!(fixture.calls(), [json!(["setTimer", 5000])]);
    set_clock(NOW - 3_600_000.0 + 5000.0);
    fixture.client.timeout();
    assert_eq!(fixture.sent(), [json!({"type": "ping"})]);
}

#[wasm_bindgen_test]
fn options_that_are_missing_or_negative_are_the_defaults() {
    for settings in
        [json!({}), json!({"messageRetryOptions": {"maxRetries": -1, "retryDelayInMs": -5, "mode": "Odd"}})]
    {
        let fixture = connected(&settings);
        fixture.client.join_group(2, "g".to_owned(), None).unwrap();
        fixture.receive(&json!({"type": "ack", "ackId": 1, "success": false}));
        assert_eq!(fixture.calls(), [json!(["setTimer", 1000])]);
    }
    let settings =
        json!({"messageRetryOptions": {"maxRetries": f64::MAX, "retryDelayInMs": 10, "mode": "Exponential"}});
    let fixture = connected(&settings);
    fixture.client.join_group(2, "g".to_owned(), None).unwrap();
    fixture.receive(&json!({"type": "ack", "ackId": 1, "success": false}));
    assert_eq!(fixture.calls(), [json!(["setTimer", 10])]);
}

/// What this shell learns of a socket that does not open is what another one does.
#[wasm_bindgen_test]
async fn a_closed_port_is_a_close_with_1006() {
    const CLOSED: &str = "ws://127.0.0.1:65533/";
    let mut theirs = WebSocket::open(CLOSED).unwrap();
    let theirs = loop {
        if let Err(WebSocketError::ConnectionClose(close)) = theirs.next().await.unwrap() {
            break close.code;
        }
    };

    let mut done = None;
    let ended = Promise::new(&mut |resolve, _| done = Some(resolve));
    let resolve = done.unwrap();
    let closed =
        Closure::<dyn FnMut(u32, u16, String)>::new(move |attempt: u32, code: u16, reason: String| {
            let closed = js(&json!([attempt, code, reason]));
            resolve.call1(&JsValue::UNDEFINED, &closed).unwrap();
        });
    let host = browser_host(&closed);
    let client = Client::new(host.clone().unchecked_into::<Host>(), &JsValue::UNDEFINED);
    client.start(1);
    client.url_fetched(1, CLOSED.to_owned());
    let (attempt, code, reason): (u32, u16, String) =
        serde_wasm_bindgen::from_value(wasm_bindgen_futures::JsFuture::from(ended).await.unwrap()).unwrap();
    assert_eq!(code, theirs);
    take_calls(&host);
    client.closed(attempt, code, reason);
    let calls: Value = serde_wasm_bindgen::from_value(take_calls(&host)).unwrap();
    assert_eq!(calls, json!([["startFailed", 1, "closed", 1006], ["setTimer", null]]));
}
