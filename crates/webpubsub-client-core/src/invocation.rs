//! Invocations on their way: events whose answer the application waits for.

use crate::input::CommandId;

/// Invocations that were sent and are not answered, oldest first, and the counter that gives ids.
#[derive(Debug, Default)]
pub(crate) struct PendingInvocations {
    last_id: u64,
    sent: Vec<(String, CommandId)>,
}

impl PendingInvocations {
    /// An id that is not in use: 1, 2, 3, … for as long as the session lives.
    ///
    /// Source: docs/spec/client.md#invocations.
    pub(crate) fn next_id(&mut self) -> String {
        loop {
            self.last_id = self.last_id.saturating_add(1);
            let id = decimal(self.last_id);
            if !self.has(&id) {
                return id;
            }
        }
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.sent.iter().any(|(known, _)| known == id)
    }

    pub(crate) fn sent(&mut self, id: String, call: CommandId) {
        self.sent.push((id, call));
    }

    /// Whose answer has come.
    pub(crate) fn answered(&mut self, id: &str) -> Option<CommandId> {
        let at = self.sent.iter().position(|(known, _)| known == id)?;
        Some(self.sent.remove(at).1)
    }

    /// The id of a call that is given up.
    pub(crate) fn abort(&mut self, call: CommandId) -> Option<String> {
        let at = self.sent.iter().position(|(_, known)| *known == call)?;
        Some(self.sent.remove(at).0)
    }

    /// Whatever waits for an answer that will not come.
    pub(crate) fn take(&mut self) -> Vec<(String, CommandId)> {
        std::mem::take(&mut self.sent)
    }
}

/// A number's digits. Pages download this in the place of the formatting that `to_string` brings.
fn decimal(number: u64) -> String {
    let mut digits = String::new();
    let mut place = 1;
    while number / place >= 10 {
        place *= 10;
    }
    while place > 0 {
        digits.push(char::from(b'0' + (number / place % 10) as u8));
        place /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_written_as_their_digits() {
        for number in [0, 7, 10, 109, 1_000, u64::MAX - 1, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
