//! What has to hold, and the end of a run in which it does not.

use std::panic::resume_unwind;

/// Fails unless something holds.
macro_rules! check {
    ($holds:expr, $($words:tt)*) => {
        if !$holds {
            $crate::simulation::check::broken(format!($($words)*));
        }
    };
}
pub(super) use check;

/// Ends the run: something does not hold.
pub(super) fn broken(problem: impl Into<String>) -> ! {
    // Not a panic that is printed: what is tried with a bug is to end here.
    resume_unwind(Box::new(problem.into()))
}
