//! How many callers are about to send their next command, and whether a turn waits for them.
//!
//! A server that publishes over several connections has the next request on its way as soon as one is answered. One by
//! one each of them takes a commit, and a write to the socket of every receiver; together they take one. So a turn may
//! wait a moment for as many commands as the one before has answered. Waiting has to pay: what was waited beyond what it
//! has saved is never more than a small share of the time that turns have taken.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout};

use crate::shard_message::ShardMessage;

/// How long a turn waits at most: the runtime's timer has no finer ticks.
const MAX_WAIT: Duration = Duration::from_millis(1);
/// From this time of a turn on, waiting is worth it: a thread that waits is woken for each command that comes.
const WORTHWHILE: Duration = Duration::from_micros(50);
/// What may be waited for nothing before turns have taken their time again. With all of it, one more is waited for than
/// were there the last time.
const PATIENCE: Duration = Duration::from_millis(2);
/// Of so much time of turns, one part may be waited for nothing.
const SHARE: u32 = 16;

/// What is known of the callers of one shard.
#[derive(Debug)]
pub(crate) struct Callers {
    /// How many commands the next turn is to have.
    expected: usize,
    patience: Duration,
}

impl Callers {
    pub(crate) const fn new() -> Self {
        Self { expected: 0, patience: PATIENCE }
    }

    /// Adds to what was taken for a turn, up to so many messages, the commands that are worth waiting for. Returns how
    /// long it has waited for them.
    pub(crate) async fn gather(
        &self,
        inbox: &mut UnboundedReceiver<ShardMessage>,
        taken: &mut Vec<ShardMessage>,
        most: usize,
    ) -> Duration {
        let mut commands = commands(taken);
        if !self.are_awaited(commands) {
            return Duration::ZERO;
        }
        let begun = Instant::now();
        let gathering = async {
            while self.are_awaited(commands)
                && taken.len() < most
                && let Some(message) = inbox.recv().await
            {
                commands += usize::from(message.is_command());
                taken.push(message);
            }
        };
        // Those who have not come by then come later.
        let _ = timeout(MAX_WAIT, gathering).await;
        begun.elapsed()
    }

    /// Whether a turn that has so many commands waits for more. One without any waits for none.
    const fn are_awaited(&self, commands: usize) -> bool {
        0 < commands && commands < self.expected
    }

    /// A turn has carried out so many commands, after waiting for them, and has taken so long.
    pub(crate) fn answered(&mut self, commands: usize, waited: Duration, took: Duration) {
        let others = u32::try_from(commands.saturating_sub(1)).unwrap_or(u32::MAX);
        // One by one, each had taken a turn, about as long as this.
        let saved = if commands < self.expected { Duration::ZERO } else { took.saturating_mul(others) };
        let lost = waited.saturating_sub(saved);
        self.patience = (self.patience + took / SHARE).min(PATIENCE).saturating_sub(lost);
        self.expected = match self.patience {
            Duration::ZERO => 0,
            _ if took < WORTHWHILE => 0,
            PATIENCE => commands + 1,
            _ => commands,
        };
    }
}

/// How many callers wait for what is among these.
pub(crate) fn commands(messages: &[ShardMessage]) -> usize {
    messages.iter().filter(|message| message.is_command()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_micros(200);

    /// Has so many callers send the next command so long after each answer; returns how many commands each of so many
    /// turns had, and how long all of them have waited.
    fn turns(callers: &mut Callers, count: usize, after: Duration, turns: usize) -> (Vec<usize>, Duration) {
        let mut all = Duration::ZERO;
        let mut sizes = Vec::new();
        for _ in 0..turns {
            let (mut commands, mut waited) = (1, Duration::ZERO);
            while callers.are_awaited(commands) && waited < MAX_WAIT {
                let next = if commands < count { after } else { MAX_WAIT };
                waited = (waited + next).min(MAX_WAIT);
                commands += usize::from(next < MAX_WAIT && waited < MAX_WAIT);
            }
            callers.answered(commands, waited, TURN);
            all += waited;
            sizes.push(commands);
        }
        (sizes, all)
    }

    #[test]
    fn callers_who_come_again_at_once_share_a_turn() {
        let mut callers = Callers::new();
        let (sizes, _) = turns(&mut callers, 8, Duration::from_micros(20), 100);
        assert_eq!(sizes[..8], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(sizes[8..].iter().all(|size| *size == 8), "{sizes:?}");
    }

    #[test]
    fn one_caller_is_hardly_kept_waiting() {
        let (sizes, waited) = turns(&mut Callers::new(), 1, Duration::ZERO, 1000);
        assert!(sizes.iter().all(|size| *size == 1));
        assert!(waited <= PATIENCE + 1000 * TURN / SHARE + MAX_WAIT, "{waited:?}");
    }

    #[test]
    fn callers_who_come_when_they_like_are_not_waited_for() {
        let after = MAX_WAIT * 3 / 4;
        let (_, waited) = turns(&mut Callers::new(), 100, after, 1000);
        // Each wait that succeeds has saved one turn.
        assert!(waited <= PATIENCE + 1000 * TURN / 4 + MAX_WAIT, "{waited:?}");
    }

    #[test]
    fn a_short_turn_is_followed_by_no_wait() {
        let mut callers = Callers::new();
        callers.answered(5, Duration::ZERO, WORTHWHILE / 2);
        assert!(!callers.are_awaited(1));
    }

    #[test]
    fn a_turn_without_commands_waits_for_none() {
        let mut callers = Callers::new();
        callers.answered(5, Duration::ZERO, TURN);
        assert!(!callers.are_awaited(0));
        assert!(callers.are_awaited(5));
        assert!(!callers.are_awaited(6));
    }
}
