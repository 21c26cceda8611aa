//! The log, on standard error: what it never has is in [`log_line`].

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use webpubsub_service::{LogLevel, log_line};

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
    write(LogLevel::Error, what, None, error);
}

/// Something failed that has to do with a file.
pub(crate) fn file_failure(what: &str, file: &Path, error: &dyn Display) {
    write(LogLevel::Error, what, Some(file), error);
}

/// Something was not done, and rightly so.
pub(crate) fn refusal(what: &str, why: &dyn Display) {
    let second = clock::now().as_millis() / 1000;
    let (is_logged, before) = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner).take(second);
    if let Some(before) = before {
        write(
            LogLevel::Warning,
            "logging refusals",
            None,
            &format!("{before} more of a second were left out"),
        );
    }
    if is_logged {
        write(LogLevel::Warning, what, None, why);
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

fn write(level: LogLevel, what: &str, file: Option<&Path>, error: &dyn Display) {
    let file = file.map(|file| file.display().to_string());
    let line = log_line(level, what, file.as_deref(), error) + "\n";
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
