//! Starts, and how each can fail.

use serde_json::json;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::fixture::{Fixture, Settings, client};
use crate::inputs::Inputs as _;

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
        it.refuse_urls();
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
