//! What the application has its client do, and the answers.

use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::fixture::{NONE, NOTHING, Settings, connected, js};
use crate::inputs::{Inputs as _, join, leave, publish, send};

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
