//! Who may sign in: how often it may be tried, and which tickets are spent. The register of hubs keeps it.

use std::time::Duration;

use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::time::Timestamp;

/// How often a secret may be tried from one address within [`WINDOW`].
const MAX_ATTEMPTS: usize = 10;
/// The same from all addresses together: one who tries from a few locks no one else out.
const MAX_ATTEMPTS_OF_ALL: usize = 300;
/// The most bytes of an address that count.
const MAX_ADDRESS_BYTES: usize = 45;
/// For how long attempts count together.
const WINDOW: Duration = Duration::from_secs(60);
/// How many spent tickets are kept that have not expired yet. With as many no other ticket is taken.
const MAX_SPENT: usize = 100;

/// Somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// With a secret, which is yet to be compared.
    Secret {
        /// Where from; empty where that is not known.
        address: String,
    },
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
    /// Where each attempt with a secret since then came from.
    attempts: Vec<String>,
    /// Tickets that were used, and when they expire.
    spent: Vec<(String, u64)>,
}

impl SignIns {
    /// Takes an attempt. Returns whether it may go on.
    #[must_use]
    pub fn take(&mut self, now: Timestamp, attempt: SignIn) -> bool {
        match attempt {
            SignIn::Secret { address } => {
                let since = Timestamp::from_millis(self.since);
                if now < since || now >= since.after(WINDOW) {
                    self.since = now.as_millis();
                    self.attempts.clear();
                }
                let address = block(&address);
                let own = self.attempts.iter().filter(|from| *from == address).count();
                let may = own < MAX_ATTEMPTS && self.attempts.len() < MAX_ATTEMPTS_OF_ALL;
                if may {
                    self.attempts.push(address.to_owned());
                }
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
        all.number("since", self.since).json("attempts", &Writer::texts(&self.attempts));
        all.json("spent", &spent.finish());
        all.finish()
    }

    /// Reads what [`SignIns::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let all = Members::parse(text)?;
        let spent = all.get("spent")?.list(|spent| SignIn::read(spent.as_str()))?;
        // An older version stored their number.
        let attempts = all.get("attempts")?.texts().unwrap_or_default();
        Some(Self { since: all.get("since")?.unsigned()?, attempts, spent })
    }
}

impl SignIn {
    /// Writes it for the register: the address, or an object.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Secret { address } => address.clone(),
            Self::Ticket { id, expires } => Self::write(id, expires.as_millis()),
        }
    }

    /// Reads what [`SignIn::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if !text.starts_with('{') {
            return Some(Self::Secret { address: text.to_owned() });
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

/// What of an address counts as one caller: of an IPv6 address the network, which one caller has all of.
fn block(address: &str) -> &str {
    let end = address.match_indices(':').nth(3).map_or(address.len(), |(end, _)| end);
    address.get(..end.min(MAX_ADDRESS_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(address: &str) -> SignIn {
        SignIn::Secret { address: address.to_owned() }
    }

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
            assert!(all.take(at(0), secret("1.2.3.4")));
        }
        let before = all.clone();
        assert!(!all.take(at(59), secret("1.2.3.4")));
        assert_eq!(all, before, "what is refused changes nothing");
        assert!(all.take(at(60), secret("1.2.3.4")));
        assert!(all.take(at(0), secret("1.2.3.4")), "a clock that was set back blocks no one");
    }

    #[test]
    fn whoever_tries_too_often_locks_no_other_address_out() {
        let mut all = SignIns::default();
        for number in 0..10 {
            assert!(all.take(at(0), secret(&format!("2001:db8:0:7::{number}"))));
        }
        assert!(!all.take(at(0), secret("2001:db8:0:7:1:2:3:4")), "one network is one caller");
        assert!(all.take(at(0), secret("2001:db8:0:8::1")) && all.take(at(0), secret("")));
    }

    #[test]
    fn all_addresses_together_have_a_bound_too() {
        let mut all = SignIns::default();
        for number in 0..300 {
            assert!(all.take(at(0), secret(&format!("10.0.{}.{}", number / 250, number % 250))));
        }
        let before = all.clone();
        assert!(!all.take(at(59), secret("10.1.1.1")));
        assert_eq!(all, before);
        assert!(all.take(at(60), secret("10.1.1.1")));
        assert_eq!(all.attempts.len(), 1);
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
        assert!(all.take(at(0), secret("::1")) && all.take(at(0), ticket("a\"b", 9)));
        assert_eq!(SignIns::decode(&all.encode()), Some(all));
        for attempt in [secret(""), secret("1.2.3.4"), ticket("a b", 1)] {
            assert_eq!(SignIn::decode(&attempt.encode()), Some(attempt));
        }
        for text in ["{x", "{}", r#"{"id":1,"expires":2}"#] {
            assert_eq!((SignIn::decode(text), SignIns::decode(text)), (None, None), "{text}");
        }
    }
}
