//! One JSON line for each thing that an operator should know. Never a token, a query string, a key
//! or a payload.

use std::fmt::Display;

use webpubsub_protocol::json::Writer;
use worker::web_sys::console;

/// Something of ours failed.
pub(crate) fn failure(what: &str, error: &dyn Display) {
    write("error", what, error);
}

/// Something was not done, and rightly so.
pub(crate) fn refusal(what: &str, why: &dyn Display) {
    write("warning", what, why);
}

fn write(level: &str, what: &str, error: &dyn Display) {
    let mut line = Writer::object();
    line.text("level", level).text("failed", what).text("error", &error.to_string());
    console::error_1(&line.finish().into());
}
