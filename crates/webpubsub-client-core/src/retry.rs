//! How often to try again, and after how long.

use std::time::Duration;

/// How often to try again, and after how long.
///
/// Source: docs/spec/sdk.md#retry-options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often to try again after the first failure.
    pub max_retries: u32,
    /// The pause before the first retry.
    pub delay: Duration,
    /// The longest pause of [`RetryMode::Exponential`].
    pub max_delay: Duration,
    /// How pauses grow.
    pub mode: RetryMode,
}

/// How the pauses between tries grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryMode {
    /// Not at all.
    Fixed,
    /// Each is twice the one before.
    Exponential,
}

impl Retry {
    /// The pause after this many failures in a row, or `None` if it is time to give up.
    pub(crate) fn delay_after(&self, failures: u32) -> Option<Duration> {
        if failures > self.max_retries {
            return None;
        }
        Some(match self.mode {
            RetryMode::Fixed => self.delay,
            RetryMode::Exponential => {
                let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
                self.delay.saturating_mul(factor).min(self.max_delay)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry {
        max_retries: 40,
        delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(30),
        mode: RetryMode::Fixed,
    };

    #[test]
    fn fixed_pauses_stay_the_same_until_the_retries_are_used_up() {
        assert_eq!(RETRY.delay_after(1), Some(RETRY.delay));
        assert_eq!(RETRY.delay_after(40), Some(RETRY.delay));
        assert_eq!(RETRY.delay_after(41), None);
        assert_eq!(Retry { max_retries: 0, ..RETRY }.delay_after(1), None);
    }

    #[test]
    fn exponential_pauses_double_up_to_their_limit() {
        let retry = Retry { mode: RetryMode::Exponential, max_retries: u32::MAX, ..RETRY };
        let seconds =
            [1, 2, 3, 4, 5, 6, 7, 33, 34, u32::MAX].map(|n| retry.delay_after(n).unwrap().as_secs());
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
    }
}
