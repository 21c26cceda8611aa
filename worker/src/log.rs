//! The log: what it never has is in [`log_line`].

use std::fmt::Display;

use webpubsub_service::{LogLevel, log_line};
use worker::web_sys::console;

/// Something of ours failed.
pub(crate) fn failure(what: &str, error: &dyn Display) {
    console::error_1(&log_line(LogLevel::Error, what, None, error).into());
}

/// Something was not done, and rightly so.
pub(crate) fn refusal(what: &str, why: &dyn Display) {
    console::warn_1(&log_line(LogLevel::Warning, what, None, why).into());
}
