//! One JSON line for each thing that an operator should know. Never a token, a query string, a key
//! or a payload.

use std::fmt::Display;

use webpubsub_protocol::json::Writer;
use worker::console_error;

/// Something of ours failed.
pub(crate) fn failure(what: &str, error: &dyn Display) {
    let mut line = Writer::object();
    line.text("level", "error").text("failed", what).text("error", &error.to_string());
    console_error!("{}", line.finish());
}
