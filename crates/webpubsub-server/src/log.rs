//! One JSON line on standard error for each thing that an operator should know. Never a token, a query
//! string, a key or a payload.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use webpubsub_protocol::json::Writer;

use crate::clock;

/// How many refusals are logged in a second, so that no disk is filled by who is refused again and again.
const REFUSALS_A_SECOND: u32 = 100;

static REFUSALS: Mutex<Refusals> = Mutex::new(Refusals { second: 0, logged: 0, left_out: 0 });

/// The refusals of one second.
struct Refusals {
    /// Which second it is, since 1970.
    second: u64,
    logged: u32,
    left_out: u64,
}

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
    let second = clock::now().as_millis() / 1000;
    let (is_logged, before) = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner).take(second);
    if let Some(before) = before {
        write("warning", "logging refusals", None, &format!("{before} more of a second were left out"));
    }
    if is_logged {
        write("warning", what, None, why);
    }
}

impl Refusals {
    /// Takes one more, in this second. Returns whether it is logged, and how many of the second before were left out.
    fn take(&mut self, second: u64) -> (bool, Option<u64>) {
        let mut before = None;
        if second != self.second {
            before = Some(std::mem::take(&mut self.left_out)).filter(|left_out| *left_out > 0);
            (self.second, self.logged) = (second, 0);
        }
        let is_logged = self.logged < REFUSALS_A_SECOND;
        if is_logged {
            self.logged += 1;
        } else {
            self.left_out += 1;
        }
        (is_logged, before)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_beyond_their_bound_are_counted_only() {
        let mut refusals = Refusals { second: 0, logged: 0, left_out: 0 };
        let taken: Vec<_> = (0..REFUSALS_A_SECOND + 5).map(|_| refusals.take(7)).collect();
        assert_eq!(taken.iter().filter(|(is_logged, _)| *is_logged).count(), REFUSALS_A_SECOND as usize);
        assert!(taken.iter().all(|(_, before)| before.is_none()));
        assert_eq!(refusals.take(8), (true, Some(5)));
        assert_eq!(refusals.take(9), (true, None));
    }
}
