//! One JSON line on standard error for each thing that an operator should know. Never a token, a query
//! string, a key or a payload.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;

use webpubsub_protocol::json::Writer;

/// Something of ours failed.
pub(crate) fn failure(what: &str, error: &dyn Display) {
    write("error", what, None, error);
}

/// Something failed that has to do with a file.
pub(crate) fn file_failure(what: &str, file: &Path, error: &dyn Display) {
    write("error", what, Some(file), error);
}

/// Something was not done, and rightly so.
pub(crate) fn refusal(what: &str, why: &dyn Display) {
    write("warning", what, None, why);
}

fn write(level: &str, what: &str, file: Option<&Path>, error: &dyn Display) {
    let mut line = Writer::object();
    line.text("level", level).text("failed", what);
    if let Some(file) = file {
        line.text("file", &file.display().to_string());
    }
    line.text("error", &error.to_string());
    let line = line.finish() + "\n";
    // An operator who closed the log wants none.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
