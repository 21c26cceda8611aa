//! What the shell adds to the session: what crosses to JavaScript and back, timers and the clock, in a
//! browser.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use futures_util::StreamExt as _;
use gloo_net::websocket::{WebSocketError, futures::WebSocket};
use js_sys::{Function, Promise};
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
    #[wasm_bindgen(js_name = refuseUrls)]
    fn refuse_urls(host: &JsValue);
    #[wasm_bindgen(js_name = onMessage)]
    fn on_message(host: &JsValue, callback: &Function);
    #[wasm_bindgen(js_name = setClock)]
    fn set_clock(milliseconds: f64);
}

/// What the clock says, until a test sets it.
const NOW: f64 = 1_800_000_000_000.0;

/// A number that is missing.
const NONE: f64 = -1.0;

const NOTHING: [Value; 0] = [];

/// What the JavaScript package makes of an application's options.
struct Settings {
    is_reliable: bool,
    auto_reconnect: bool,
    /// Retries, pause and longest pause.
    message: [f64; 3],
    doubles: bool,
    timeout: f64,
    interval: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            is_reliable: true,
            auto_reconnect: true,
            message: [NONE; 3],
            doubles: false,
            timeout: NONE,
            interval: NONE,
        }
    }
}

/// A client with a host that remembers what it was asked.
struct Fixture {
    client: Client,
    host: JsValue,
}

fn new(host: &JsValue, settings: &Settings) -> Client {
    let Settings {
        is_reliable,
        auto_reconnect,
        message: [retries, pause, longest],
        doubles,
        timeout,
        interval,
    } = *settings;
    let host = host.clone().unchecked_into::<Host>();
    Client::new(
        host,
        is_reliable,
        auto_reconnect,
        true,
        retries,
        pause,
        longest,
        doubles,
        NONE,
        NONE,
        NONE,
        false,
        timeout,
        interval,
    )
}

fn client(settings: &Settings) -> Fixture {
    set_clock(NOW);
    let host = fake_host();
    Fixture { client: new(&host, settings), host }
}

/// A client as far as `connected`, with nothing in its host's memory.
fn connected(settings: &Settings) -> Fixture {
    let fixture = client(settings);
    fixture.client.start(1);
    fixture.client.url_fetched(1, "wss://h/");
    fixture.client.opened(1);
    fixture.client.connected(1, "c1", "", "t");
    // The first ping has left, too.
    fixture.calls();
    fixture
}

/// What JavaScript says, by what it means: see `npm/src/inputs.ts`.
trait Inputs {
    fn say(&self, what: u32, id: u32, number: f64, texts: [&str; 3]) -> u32;
    fn say_with(&self, what: u32, id: u32, number: f64, values: [JsValue; 3]) -> u32;

    fn start(&self, call: u32) {
        self.say(0, call, 0.0, [""; 3]);
    }
    fn abort(&self, call: u32) {
        self.say(1, call, 0.0, [""; 3]);
    }
    fn stop(&self) {
        self.say(2, 0, 0.0, [""; 3]);
    }
    fn timeout(&self) {
        self.say(4, 0, 0.0, [""; 3]);
    }
    fn url_fetched(&self, attempt: u32, url: &str) {
        self.say(5, attempt, 0.0, [url, "", ""]);
    }
    fn url_failed(&self, attempt: u32) {
        self.say(6, attempt, 0.0, [""; 3]);
    }
    fn opened(&self, attempt: u32) {
        self.say(7, attempt, 0.0, [""; 3]);
    }
    fn connect_failed(&self, attempt: u32, status: f64) {
        self.say(8, attempt, status, [""; 3]);
    }
    fn closed(&self, attempt: u32, code: u16, reason: &str) {
        self.say(9, attempt, f64::from(code), [reason, "", ""]);
    }
    fn acknowledged(&self, attempt: u32, ack_id: f64) {
        self.say(10, attempt, ack_id, [""; 3]);
    }
    fn refused(&self, attempt: u32, ack_id: f64, name: &str, message: &str) {
        self.say(11, attempt, ack_id, [name, message, ""]);
    }
    fn message(&self, attempt: u32, sequence_id: f64, message: JsValue) {
        self.say_with(12, attempt, sequence_id, [message, JsValue::UNDEFINED, JsValue::UNDEFINED]);
    }
    fn connected(&self, attempt: u32, connection_id: &str, user_id: &str, token: &str) {
        self.say(13, attempt, 0.0, [connection_id, user_id, token]);
    }
    fn disconnecting(&self, attempt: u32, message: &str) {
        self.say(14, attempt, 0.0, [message, "", ""]);
    }
    fn answered(&self, attempt: u32, invocation_id: &str, answer: JsValue) {
        self.say_with(15, attempt, 0.0, [invocation_id.into(), answer, JsValue::UNDEFINED]);
    }
    fn answer_refused(&self, attempt: u32, invocation_id: &str, error: Option<[&str; 2]>) {
        let [name, message] = error.unwrap_or_default();
        self.say(16, attempt, f64::from(error.is_some()), [invocation_id, name, message]);
    }
    fn answer_unreadable(&self, attempt: u32, invocation_id: &str) {
        self.say(17, attempt, 0.0, [invocation_id, "", ""]);
    }
    fn received(&self, attempt: u32) {
        self.say(18, attempt, 0.0, [""; 3]);
    }
    fn invoke(&self, call: u32, event: &str, data: JsValue, invocation_id: &str) -> u32 {
        self.say_with(19, call, 0.0, [event.into(), data, invocation_id.into()])
    }
    fn other(&self, call: u32, message: JsValue, ack_id: f64) -> u32 {
        self.say_with(20, call, ack_id, [message, JsValue::UNDEFINED, JsValue::UNDEFINED])
    }
    fn due(&self) {
        self.say(21, 0, 0.0, [""; 3]);
    }
    /// 0 joins a group, 1 leaves it, 2 publishes to it, 3 sends an event; 4 and 8 are added without an echo
    /// and without an ack.
    fn operate(&self, call: u32, what: u32, name: &str, data: JsValue, ack_id: f64) -> u32 {
        self.say_with(32 + what, call, ack_id, [name.into(), data, JsValue::UNDEFINED])
    }
}

impl Inputs for Client {
    fn say(&self, what: u32, id: u32, number: f64, texts: [&str; 3]) -> u32 {
        self.say_with(what, id, number, texts.map(JsValue::from_str))
    }

    fn say_with(&self, what: u32, id: u32, number: f64, [a, b, c]: [JsValue; 3]) -> u32 {
        self.input(what, id, number, a, b, c)
    }
}

fn join(client: &Client, call: u32, group: &str) -> u32 {
    client.operate(call, 0, group, JsValue::UNDEFINED, NONE)
}

fn leave(client: &Client, call: u32, group: &str, ack_id: f64) -> u32 {
    client.operate(call, 1, group, JsValue::UNDEFINED, ack_id)
}

/// Publishes, without an echo.
fn publish(client: &Client, call: u32, group: &str, data: JsValue) -> u32 {
    client.operate(call, 2 + 4, group, data, NONE)
}

fn send(client: &Client, call: u32, event: &str, data: JsValue, fire_and_forget: bool) -> u32 {
    client.operate(call, 3 + if fire_and_forget { 8 } else { 0 }, event, data, NONE)
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
}

/// The JavaScript value for this.
fn js(value: &Value) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap()
}

#[wasm_bindgen_test]
fn a_start_asks_for_a_url_and_opens_a_socket() {
    let fixture = client(&Settings::default());
    fixture.client.start(7);
    assert_eq!(fixture.calls_but_timers(), [json!(["fetchUrl", 1])]);
    fixture.client.url_fetched(1, "wss://h/?t=1");
    assert_eq!(fixture.calls_but_timers(), [json!(["openSocket", 1, "wss://h/?t=1"])]);
    fixture.client.opened(1);
    let ping = json!(["send", 7, "", "", -1, false, null]);
    assert_eq!(fixture.calls_but_timers(), [json!(["started", 7]), ping]);
    fixture.client.connected(1, "c1", "alice", "");
    assert_eq!(fixture.calls_but_timers(), [json!(["connected", "c1", "alice"])]);
}

#[wasm_bindgen_test]
fn an_anonymous_user_has_no_id() {
    let fixture = client(&Settings::default());
    fixture.client.start(1);
    fixture.client.url_fetched(1, "wss://h/");
    fixture.client.opened(1);
    fixture.calls();
    fixture.client.connected(1, "c1", "", "");
    assert_eq!(fixture.calls_but_timers(), [json!(["connected", "c1", null])]);
}

#[wasm_bindgen_test]
fn every_problem_of_a_start_has_its_number() {
    let failed = |act: &dyn Fn(&Fixture)| {
        let fixture = client(&Settings::default());
        fixture.client.start(1);
        fixture.calls();
        act(&fixture);
        fixture.calls_of("startFailed").pop().unwrap()
    };
    let url = |fixture: &Fixture| fixture.client.url_fetched(1, "wss://h/");
    assert_eq!(failed(&|it| it.client.url_failed(1)), json!(["startFailed", 1, 4, 0]));
    let refused = |it: &Fixture| {
        refuse_urls(&it.host);
        url(it);
    };
    assert_eq!(failed(&refused), json!(["startFailed", 1, 5, 0]));
    for (status, problem, number) in [(401.0, 6, 401), (0.0, 8, 0), (-1.0, 9, 1006)] {
        let failed = failed(&|it| {
            url(it);
            it.client.connect_failed(1, status);
        });
        assert_eq!(failed, json!(["startFailed", 1, problem, number]));
    }
    assert_eq!(
        failed(&|it| {
            url(it);
            it.client.closed(1, 1006, "");
        }),
        json!(["startFailed", 1, 9, 1006])
    );
    assert_eq!(failed(&|it| it.client.stop()), json!(["startFailed", 1, 2, 0]));
    assert_eq!(failed(&|it| it.client.abort(1)), json!(["startFailed", 1, 3, 0]));
    assert_eq!(failed(&|it| it.client.start(2)), json!(["startFailed", 2, 1, 0]));
    assert_eq!(
        failed(&|it| {
            url(it);
            it.client.opened(1);
            it.client.stop();
            it.client.start(2);
        }),
        json!(["startFailed", 2, 0, 0])
    );
}

#[wasm_bindgen_test]
fn operations_are_sent_and_acks_become_answers() {
    let fixture = connected(&Settings::default());
    let it = &fixture.client;
    let (text, bytes) = (json!({"data": "hi"}), json!({"data": [0, 255]}));
    assert_eq!(join(it, 2, "g"), 0);
    assert_eq!(leave(it, 3, "é", 9_007_199_254_740_991.0), 0);
    assert_eq!(publish(it, 4, "g", js(&text)), 0);
    assert_eq!(send(it, 5, "e", js(&text), false), 0);
    assert_eq!(send(it, 6, "e", js(&bytes), true), 0);
    assert_eq!(
        fixture.calls(),
        [
            json!(["send", 0, "g", "", 1, false, null]),
            json!(["send", 1, "é", "", 9_007_199_254_740_991_u64, false, null]),
            json!(["send", 2, "g", "", 2, true, text]),
            json!(["send", 3, "e", "", 3, false, text]),
            json!(["send", 3, "e", "", -1, false, bytes]),
            json!(["done", 6, -1, false]),
        ]
    );
    it.acknowledged(1, 2.0);
    it.refused(1, 1.0, "Duplicate", "");
    assert_eq!(fixture.calls_but_timers(), [json!(["done", 4, 2, false]), json!(["done", 2, 1, true])]);
}

#[wasm_bindgen_test]
fn invocations_are_sent_and_their_answers_come_back() {
    let fixture = connected(&Settings::default());
    let it = &fixture.client;
    let data = json!({"data": "hi"});
    it.invoke(2, "e", js(&data), "");
    it.invoke(3, "e", js(&data), "é");
    it.abort(2);
    assert_eq!(
        fixture.calls_but_timers(),
        [
            json!(["send", 4, "e", "1", -1, false, data]),
            json!(["send", 4, "e", "é", -1, false, data]),
            json!(["send", 5, "", "1", -1, false, null]),
            json!(["invocationFailed", 2, "1", 3, null, null]),
        ]
    );
    let answer = json!({"invocationId": "é", "dataType": "text", "data": ""});
    it.answered(1, "é", js(&answer));
    assert_eq!(fixture.calls_but_timers(), [json!(["invoked", 3, answer])]);
    for call in 4..=6 {
        it.invoke(call, "e", js(&data), "");
    }
    it.answer_refused(1, "2", Some(["BadRequest", "no"]));
    it.answer_refused(1, "3", None);
    it.answer_unreadable(1, "4");
    assert_eq!(
        fixture.calls_of("invocationFailed"),
        [
            json!(["invocationFailed", 4, "2", 0, "BadRequest", "no"]),
            json!(["invocationFailed", 5, "3", 0, null, null]),
            json!(["invocationFailed", 6, "4", 5, null, null]),
        ]
    );
}

#[wasm_bindgen_test]
fn a_message_of_the_host_is_sent_with_an_ack_id() {
    let fixture = connected(&Settings::default());
    let message = json!({"kind": "setGroupState"});
    fixture.client.other(2, js(&message), NONE);
    assert_eq!(fixture.calls_but_timers(), [json!(["sendOther", message, 1])]);
    fixture.client.refused(1, 1.0, "Duplicate", "");
    assert_eq!(fixture.calls_but_timers(), [json!(["done", 2, 1, true])]);
}

#[wasm_bindgen_test]
fn what_is_no_name_has_its_number_and_is_not_sent() {
    let fixture = connected(&Settings::default());
    let it = &fixture.client;
    assert_eq!(join(it, 2, " "), 1);
    assert_eq!(leave(it, 2, "..", NONE), 2);
    assert_eq!(publish(it, 2, "", JsValue::NULL), 1);
    assert_eq!(send(it, 2, "1", JsValue::NULL, false), 3);
    assert_eq!(it.invoke(2, "", JsValue::NULL, ""), 3);
    assert_eq!(fixture.calls(), NOTHING);
}

#[wasm_bindgen_test]
fn every_failure_of_an_operation_has_its_number() {
    let fixture = connected(&Settings { message: [0.0, NONE, NONE], ..Settings::default() });
    let it = &fixture.client;
    for call in 2..=4 {
        join(it, call, "g");
    }
    it.refused(1, 1.0, "Forbidden", "No.");
    it.abort(3);
    it.closed(1, 1006, "");
    join(it, 5, "g");
    send(it, 6, "e", JsValue::NULL, true);
    assert_eq!(
        fixture.calls_of("failed"),
        [
            json!(["failed", 2, 0, 1, "Forbidden", "No."]),
            json!(["failed", 3, 3, 2, null, null]),
            json!(["failed", 4, 1, 3, null, null]),
            json!(["failed", 5, 2, 4, null, null]),
            json!(["failed", 6, 2, -1, null, null]),
        ]
    );
}

#[wasm_bindgen_test]
fn messages_reach_the_host_as_the_values_that_came() {
    let fixture = connected(&Settings::default());
    let message = json!({"kind": "groupData", "data": {"a": [1]}, "more": true});
    fixture.client.message(1, 1.0, js(&message));
    assert_eq!(fixture.calls_but_timers(), [json!(["message", message])]);
    // A number that came before is dropped, and none is none.
    fixture.client.message(1, 1.0, js(&message));
    assert_eq!(fixture.calls_but_timers(), NOTHING);
    fixture.client.message(1, NONE, js(&message));
    assert_eq!(fixture.calls_but_timers(), [json!(["message", message])]);
}

#[wasm_bindgen_test]
fn what_says_nothing_is_a_sign_of_life_only() {
    let fixture = connected(&Settings::default());
    fixture.client.received(1);
    fixture.client.connected(1, "", "", "");
    fixture.client.acknowledged(1, 99.0);
    fixture.client.answered(1, "unknown", JsValue::NULL);
    assert_eq!(fixture.calls(), NOTHING);
}

#[wasm_bindgen_test]
fn what_follows_from_a_data_message_is_a_sum() {
    let fixture = connected(&Settings::default());
    let it = &fixture.client;
    // 1: it is raised, unless it has come before. 2: the timer is due, for an ack at once. 8 times how many may follow
    // that are not shown: as many as lack to the next ack.
    assert_eq!([1.0, 1.0, NONE, 502.0].map(|id| it.data(1, id, NOW)), [1 + 8 * 499, 0, 1, 3]);
    assert_eq!(fixture.calls(), [json!(["setTimer", 1000])]);
    it.due();
    assert_eq!(fixture.calls(), [json!(["send", 6, "", "", 502, false, null])]);
    // 4: more follows, as when a recovered link proves itself.
    it.closed(1, 1006, "");
    it.opened(2);
    fixture.calls();
    assert_eq!([it.data(1, 503.0, NOW), it.data(2, 503.0, NOW)], [4, 4]);
    it.message(2, 503.0, "late".into());
    let raised = [json!(["recovery", true, "c1"]), json!(["message", "late"])];
    assert_eq!(fixture.calls_but_timers(), raised);
}

#[wasm_bindgen_test]
fn a_listener_that_calls_back_gets_in_between_nothing() {
    let fixture = std::rc::Rc::new(connected(&Settings::default()));
    let listener = Closure::<dyn Fn()>::new({
        let fixture = fixture.clone();
        move || {
            join(&fixture.client, 2, "g");
            fixture.client.stop();
        }
    });
    on_message(&fixture.host, listener.as_ref().unchecked_ref());
    fixture.client.message(1, 501.0, JsValue::NULL);
    assert_eq!(
        fixture.calls_but_timers(),
        [
            json!(["message", null]),
            json!(["send", 6, "", "", 501, false, null]),
            json!(["send", 0, "g", "", 1, false, null]),
            json!(["closeSocket", 1]),
        ]
    );
}

#[wasm_bindgen_test]
fn a_close_is_reported_with_its_code_and_reason() {
    let fixture = connected(&Settings { auto_reconnect: false, is_reliable: false, ..Settings::default() });
    fixture.client.disconnecting(1, "Bye.");
    fixture.client.closed(1, 1001, "going away");
    assert_eq!(
        fixture.calls_but_timers(),
        [
            json!(["disconnected", "c1", "Bye.", 1001, "going away", false]),
            json!(["stopped", 1001, "going away"])
        ]
    );
}

#[wasm_bindgen_test]
fn a_lost_link_is_recovered_without_the_old_socket() {
    let fixture = connected(&Settings::default());
    fixture.client.closed(1, 1006, "");
    let url = "wss://h/?awps_connection_id=c1&awps_reconnection_token=t";
    assert_eq!(fixture.calls_but_timers(), [json!(["recovery", false, "c1"]), json!(["openSocket", 2, url])]);
    fixture.client.opened(2);
    assert_eq!(fixture.calls_of("recovery"), NOTHING);
    fixture.client.received(2);
    assert_eq!(fixture.calls_but_timers(), [json!(["recovery", true, "c1"])]);
    fixture.client.message(1, NONE, "late".into());
    fixture.client.closed(1, 1008, "");
    assert_eq!(fixture.calls_but_timers(), NOTHING);
}

#[wasm_bindgen_test]
fn the_timer_is_set_to_the_next_moment_that_matters() {
    let fixture = client(&Settings { interval: 30_000.0, timeout: 0.0, ..Settings::default() });
    let timers = || fixture.calls_of("setTimer").into_iter().map(|call| call[1].clone()).collect::<Vec<_>>();
    fixture.client.start(1);
    assert_eq!(timers(), [120_000]);
    fixture.client.url_fetched(1, "wss://h/");
    assert_eq!(timers(), NOTHING);
    fixture.client.opened(1);
    assert_eq!(timers(), [30_000]);
    fixture.client.connected(1, "c1", "", "");
    assert_eq!(timers(), NOTHING);
    for id in 1..10 {
        fixture.client.message(1, f64::from(id), "hi".into());
    }
    assert_eq!(timers(), [1000]);
    fixture.client.stop();
    assert_eq!(timers(), NOTHING);
    fixture.client.closed(1, 1005, "");
    assert_eq!(timers(), [-1]);
}

#[wasm_bindgen_test]
fn setting_the_clock_back_stops_no_timer() {
    let fixture = connected(&Settings { timeout: 0.0, ..Settings::default() });
    set_clock(NOW + 15_000.0);
    fixture.client.timeout();
    assert_eq!(fixture.calls(), [json!(["setTimer", 5000])]);
    set_clock(NOW - 3_600_000.0);
    fixture.client.timeout();
    assert_eq!(fixture.calls(), [json!(["setTimer", 5000])]);
    set_clock(NOW - 3_600_000.0 + 5000.0);
    fixture.client.timeout();
    assert_eq!(fixture.calls_of("send"), [json!(["send", 7, "", "", -1, false, null])]);
}

#[wasm_bindgen_test]
fn options_that_are_missing_or_negative_are_the_defaults() {
    for message in [[NONE; 3], [-1.0, -5.0, -7.0]] {
        let fixture = connected(&Settings { message, ..Settings::default() });
        join(&fixture.client, 2, "g");
        fixture.client.refused(1, 1.0, "", "");
        assert_eq!(fixture.calls_of("setTimer"), [json!(["setTimer", 1000])]);
    }
    let settings = Settings { message: [f64::MAX, 10.0, NONE], doubles: true, ..Settings::default() };
    let fixture = connected(&settings);
    join(&fixture.client, 2, "g");
    fixture.client.refused(1, 1.0, "", "");
    assert_eq!(fixture.calls_of("setTimer"), [json!(["setTimer", 10])]);
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
    let client = new(&host, &Settings::default());
    client.start(1);
    client.url_fetched(1, CLOSED);
    let (attempt, code, reason): (u32, u16, String) =
        serde_wasm_bindgen::from_value(wasm_bindgen_futures::JsFuture::from(ended).await.unwrap()).unwrap();
    assert_eq!(code, theirs);
    take_calls(&host);
    client.closed(attempt, code, &reason);
    let calls: Value = serde_wasm_bindgen::from_value(take_calls(&host)).unwrap();
    assert_eq!(calls, json!([["startFailed", 1, 9, 1006], ["setTimer", -1]]));
}
