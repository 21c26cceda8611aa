//! Who may sign in: how often it may be tried, and which tickets are spent. The register of hubs keeps it.

use std::time::Duration;

use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::time::Timestamp;

/// How often a secret may be tried within [`WINDOW`].
const MAX_ATTEMPTS: u64 = 10;
/// For how long attempts count together.
const WINDOW: Duration = Duration::from_secs(60);
/// How many spent tickets are kept that have not expired yet. With as many no other ticket is taken.
const MAX_SPENT: usize = 100;

/// Somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// With a secret, which is yet to be compared.
    Secret,
    /// With a good ticket.
    Ticket {
        /// Its id.
        id: String,
        /// When it expires.
        expires: Timestamp,
    },
}

/// What is stored of attempts to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignIns {
    /// When the window began, in milliseconds since the Unix epoch.
    since: u64,
    /// Attempts with secrets since then.
    attempts: u64,
    /// Tickets that were used, and when they expire.
    spent: Vec<(String, u64)>,
}

impl SignIns {
    /// Takes an attempt. Returns whether it may go on.
    #[must_use]
    pub fn take(&mut self, now: Timestamp, attempt: SignIn) -> bool {
        match attempt {
            SignIn::Secret => {
                let since = Timestamp::from_millis(self.since);
                if now < since || now >= since.after(WINDOW) {
                    (self.since, self.attempts) = (now.as_millis(), 0);
                }
                let may = self.attempts < MAX_ATTEMPTS;
                self.attempts += u64::from(may);
                may
            }
            SignIn::Ticket { id, expires } => {
                self.spent.retain(|(_, expires)| *expires >= now.as_millis());
                let may = self.spent.len() < MAX_SPENT && self.spent.iter().all(|(spent, _)| *spent != id);
                if may {
                    self.spent.push((id, expires.as_millis()));
                }
                may
            }
        }
    }

    /// Writes it as JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut spent = Writer::list();
        for (id, expires) in &self.spent {
            spent.element(&SignIn::write(id, *expires));
        }
        let mut all = Writer::object();
        all.number("since", self.since).number("attempts", self.attempts).json("spent", &spent.finish());
        all.finish()
    }

    /// Reads what [`SignIns::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let all = Members::parse(text)?;
        let spent = all.get("spent")?.elements()?.into_iter().map(|spent| SignIn::read(spent.as_str()));
        Some(Self {
            since: all.get("since")?.unsigned()?,
            attempts: all.get("attempts")?.unsigned()?,
            spent: spent.collect::<Option<_>>()?,
        })
    }
}

impl SignIn {
    /// Writes it for the register; empty for a secret.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Secret => String::new(),
            Self::Ticket { id, expires } => Self::write(id, expires.as_millis()),
        }
    }

    /// Reads what [`SignIn::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Secret);
        }
        let (id, expires) = Self::read(text)?;
        Some(Self::Ticket { id, expires: Timestamp::from_millis(expires) })
    }

    fn write(id: &str, expires: u64) -> String {
        let mut ticket = Writer::object();
        ticket.text("id", id).number("expires", expires);
        ticket.finish()
    }

    fn read(text: &str) -> Option<(String, u64)> {
        let ticket = Members::parse(text)?;
        let id = ticket.get("id").and_then(Json::text)?.into_owned();
        Some((id, ticket.get("expires")?.unsigned()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    fn ticket(id: &str, expires: u64) -> SignIn {
        SignIn::Ticket { id: id.to_owned(), expires: at(expires) }
    }

    #[test]
    fn a_secret_may_be_tried_ten_times_a_minute() {
        let mut all = SignIns::default();
        for _ in 0..10 {
            assert!(all.take(at(0), SignIn::Secret));
        }
        let before = all.clone();
        assert!(!all.take(at(59), SignIn::Secret));
        assert_eq!(all, before, "what is refused changes nothing");
        assert!(all.take(at(60), SignIn::Secret));
        assert!(all.take(at(0), SignIn::Secret), "a clock that was set back blocks no one");
    }

    #[test]
    fn a_ticket_is_taken_once() {
        let mut all = SignIns::default();
        assert!(all.take(at(0), ticket("a", 60)));
        assert!(!all.take(at(1), ticket("a", 60)));
        assert!(!all.take(at(60), ticket("a", 60)));
        assert!(all.take(at(60), ticket("b", 99)));
        assert!(all.take(at(61), ticket("c", 99)));
        assert_eq!(all.spent.len(), 2, "an expired one is not kept");
    }

    #[test]
    fn with_a_hundred_spent_tickets_no_other_is_taken() {
        let mut all = SignIns::default();
        for id in 0..100 {
            assert!(all.take(at(0), ticket(&id.to_string(), 60)));
        }
        assert!(!all.take(at(0), ticket("x", 60)));
        assert!(all.take(at(61), ticket("x", 99)));
    }

    #[test]
    fn attempts_outlive_the_memory() {
        let mut all = SignIns::default();
        assert!(all.take(at(0), SignIn::Secret) && all.take(at(0), ticket("a\"b", 9)));
        assert_eq!(SignIns::decode(&all.encode()), Some(all));
        for attempt in [SignIn::Secret, ticket("a b", 1)] {
            assert_eq!(SignIn::decode(&attempt.encode()), Some(attempt));
        }
        for text in ["x", "{}", "[]", r#"{"id":1,"expires":2}"#] {
            assert_eq!((SignIn::decode(text), SignIns::decode(text)), (None, None), "{text}");
        }
    }
}
