//! Messages of the service, and a listener that calls back.

use std::rc::Rc;

use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::fixture::{NONE, NOTHING, NOW, Settings, connected, js};
use crate::inputs::{Inputs as _, join};

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
    let fixture = Rc::new(connected(&Settings::default()));
    let listener = Closure::<dyn Fn()>::new({
        let fixture = fixture.clone();
        move || {
            join(&fixture.client, 2, "g");
            fixture.client.stop();
        }
    });
    fixture.on_message(listener.as_ref().unchecked_ref());
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
