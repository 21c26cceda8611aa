//! The lines of the log: one of JSON for each thing that an operator should know. Never a token, a query string, a key
//! or a payload.

use std::fmt::Display;

use webpubsub_protocol::json::Writer;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Something of the service's failed.
    Error,
    /// Something was not done, and rightly so.
    Warning,
}

/// Writes a line: what failed, why, and the file that it has to do with, if there is one.
#[must_use]
pub fn log_line(level: LogLevel, what: &str, file: Option<&str>, error: &dyn Display) -> String {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warning => "warning",
    };
    let mut line = Writer::object();
    line.text("level", level).text("failed", what);
    if let Some(file) = file {
        line.text("file", file);
    }
    line.text("error", &format!("{error}"));
    line.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_says_what_failed_and_why() {
        let line = |file| log_line(LogLevel::Error, "a step", file, &"full \"disk\"");
        assert_eq!(line(None), r#"{"level":"error","failed":"a step","error":"full \"disk\""}"#);
        assert!(line(Some("a.db")).contains(r#""failed":"a step","file":"a.db","error""#));
        assert!(log_line(LogLevel::Warning, "a", None, &"b").starts_with(r#"{"level":"warning""#));
    }
}
