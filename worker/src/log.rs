//! One JSON line for each thing that an operator should know. Never a token, a query string, a key
//! or a payload.

use std::fmt::Display;

use wasm_bindgen::JsValue;
use webpubsub_protocol::json::Writer;
use worker::web_sys::console;

/// Something of ours failed.
pub(crate) fn failure(what: &str, error: &dyn Display) {
    console::error_1(&line("error", what, error));
}

/// Something was not done, and rightly so.
pub(crate) fn refusal(what: &str, why: &dyn Display) {
    console::warn_1(&line("warning", what, why));
}

fn line(level: &str, what: &str, error: &dyn Display) -> JsValue {
    let mut line = Writer::object();
    line.text("level", level).text("failed", what).text("error", &error.to_string());
    line.finish().into()
}
