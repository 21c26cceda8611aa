//! The timer, the clock, and the options that say how long.

use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::fixture::{NONE, NOTHING, NOW, Settings, client, connected, set_clock};
use crate::inputs::{Inputs as _, join};

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
