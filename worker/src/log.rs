//! One JSON line for each thing that an operator should know. Never a token, a query string, a key
//! or a payload.

use std::fmt::Display;

use serde::Serialize;
use worker::console_error;

#[derive(Serialize)]
struct Line<'a> {
    level: &'a str,
    failed: &'a str,
    error: &'a str,
}

/// Something of ours failed.
pub(crate) fn failure(what: &str, error: &dyn Display) {
    write("error", what, error);
}

/// Something was not done, and rightly so.
pub(crate) fn refusal(what: &str, why: &dyn Display) {
    write("warning", what, why);
}

fn write(level: &str, what: &str, error: &dyn Display) {
    let line = Line { level, failed: what, error: &error.to_string() };
    match serde_json::to_string(&line) {
        Ok(line) => console_error!("{line}"),
        Err(_) => console_error!("{what}"),
    }
}
