//! Sockets that end.

use futures_util::StreamExt as _;
use gloo_net::websocket::{WebSocketError, futures::WebSocket};
use js_sys::Promise;
use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::fixture::{Fixture, NONE, NOTHING, Settings, connected, js};
use crate::inputs::Inputs as _;

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

/// What this host learns of a socket that does not open is what another one does.
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
    let fixture = Fixture::in_browser(&closed);
    fixture.client.start(1);
    fixture.client.url_fetched(1, CLOSED);
    let (attempt, code, reason): (u32, u16, String) =
        serde_wasm_bindgen::from_value(wasm_bindgen_futures::JsFuture::from(ended).await.unwrap()).unwrap();
    assert_eq!(code, theirs);
    fixture.calls();
    fixture.client.closed(attempt, code, &reason);
    assert_eq!(fixture.calls(), [json!(["startFailed", 1, 9, 1006]), json!(["setTimer", -1])]);
}
