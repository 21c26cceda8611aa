//! What JavaScript says to a client.

use wasm_bindgen::JsValue;
use webpubsub_client::Client;

use crate::fixture::NONE;

/// What JavaScript says, by what it means: see `npm/src/inputs.ts`.
pub(crate) trait Inputs {
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

pub(crate) fn join(client: &Client, call: u32, group: &str) -> u32 {
    client.operate(call, 0, group, JsValue::UNDEFINED, NONE)
}

pub(crate) fn leave(client: &Client, call: u32, group: &str, ack_id: f64) -> u32 {
    client.operate(call, 1, group, JsValue::UNDEFINED, ack_id)
}

/// Publishes, without an echo.
pub(crate) fn publish(client: &Client, call: u32, group: &str, data: JsValue) -> u32 {
    client.operate(call, 2 + 4, group, data, NONE)
}

pub(crate) fn send(client: &Client, call: u32, event: &str, data: JsValue, fire_and_forget: bool) -> u32 {
    client.operate(call, 3 + if fire_and_forget { 8 } else { 0 }, event, data, NONE)
}
