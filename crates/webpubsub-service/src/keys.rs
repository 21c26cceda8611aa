//! Which access keys hold: those of the configuration, until an operator regenerates them.
//!
//! The register of hubs stores what was regenerated. Each isolate or process of a host has one [`KeyRing`], which
//! asks the register when a token is to be checked and what it knows is older than [`KeyRing::MAX_AGE`], so that
//! checking itself waits for nothing. A signature of an unknown key has it ask sooner.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use webpubsub_auth::{AccessKeyError, AccessKeys, KeyRole, SessionKeys, fingerprint};
use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::time::Timestamp;

/// A change of the access keys, with the new key.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// The primary key becomes the secondary one, and this the primary: nothing that the primary key signed ends.
    Rotate(String),
    /// One of the keys is replaced. What it signed ends.
    Regenerate(KeyRole, String),
}

/// What is stored of keys that were regenerated: how often keys were changed, then the primary and the secondary key,
/// empty where it was never regenerated, each with the fingerprint of the configured key in the place of which it holds.
/// With another one in the configuration that one holds: an operator has set it since.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKeys([String; 5]);

/// The primary and the secondary key as texts.
pub type KeyTexts = [Option<String>; 2];

/// The keys that hold, with what is made out of them.
pub struct Keys {
    /// What signs and verifies.
    pub access: AccessKeys,
    /// What signs the sessions of operators; `None` where they do not sign in.
    pub session: Option<SessionKeys>,
    /// The keys as texts.
    pub(crate) texts: KeyTexts,
}

/// The access keys as one isolate or process knows them.
pub struct KeyRing {
    configured: KeyTexts,
    portal_secret: Option<String>,
    known: Mutex<Known>,
}

struct Known {
    /// When the register was asked last; `None` before it has answered once.
    asked: Option<Timestamp>,
    version: u64,
    keys: Arc<Keys>,
}

impl KeyChange {
    /// Writes it for the register: a letter, and the key.
    #[must_use]
    pub fn encode(&self) -> String {
        let (what, key) = match self {
            Self::Rotate(key) => ("r", key),
            Self::Regenerate(KeyRole::Primary, key) => ("p", key),
            Self::Regenerate(KeyRole::Secondary, key) => ("s", key),
        };
        [what, key].concat()
    }

    /// Reads what [`KeyChange::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (what, key) = text.split_at_checked(1)?;
        let key = key.to_owned();
        Some(match what {
            "r" => Self::Rotate(key),
            "p" => Self::Regenerate(KeyRole::Primary, key),
            "s" => Self::Regenerate(KeyRole::Secondary, key),
            _ => return None,
        })
    }
}

impl StoredKeys {
    /// What is to be stored after a change.
    #[must_use]
    pub fn change(mut self, ring: &KeyRing, change: KeyChange) -> Self {
        let [primary, _] = self.over(&ring.configured);
        let [instead_of_first, instead_of_second] = ring.configured.each_ref().map(print);
        *self.version_mut() = (self.version() + 1).to_string();
        let Self([_, first, of_first, second, of_second]) = &mut self;
        let (new_first, new_second) = match change {
            KeyChange::Rotate(key) => (Some(key), primary),
            KeyChange::Regenerate(KeyRole::Primary, key) => (Some(key), None),
            KeyChange::Regenerate(KeyRole::Secondary, key) => (None, Some(key)),
        };
        if let Some(key) = new_first {
            (*first, *of_first) = (key, instead_of_first);
        }
        if let Some(key) = new_second {
            (*second, *of_second) = (key, instead_of_second);
        }
        self
    }

    fn version(&self) -> u64 {
        let Self([version, ..]) = self;
        version.parse().unwrap_or(0)
    }

    const fn version_mut(&mut self) -> &mut String {
        let Self([version, ..]) = self;
        version
    }

    /// The keys that hold where these are configured.
    #[inline(never)]
    fn over(&self, configured: &KeyTexts) -> KeyTexts {
        let Self([_, first, of_first, second, of_second]) = self;
        let [primary, secondary] = configured;
        [(first, of_first, primary), (second, of_second, secondary)].map(|(key, instead, configured)| {
            let holds = !key.is_empty() && *instead == print(configured);
            if holds { Some(key.clone()) } else { configured.clone() }
        })
    }

    /// Writes it as JSON, a list of texts.
    #[must_use]
    pub fn encode(&self) -> String {
        Writer::texts(&self.0)
    }

    /// Reads what [`StoredKeys::encode`] wrote, or an empty text of what was never stored; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Default::default()));
        }
        Json::parse(text)?.texts()?.try_into().ok().map(Self)
    }
}

/// The fingerprint of a configured key; empty where there is none.
fn print(configured: &Option<String>) -> String {
    configured.as_deref().map_or_else(String::new, fingerprint)
}

impl Keys {
    fn new(texts: KeyTexts, portal_secret: Option<&str>) -> Result<Self, AccessKeyError> {
        let [primary, secondary] = &texts;
        let access = AccessKeys::new(primary.as_deref().unwrap_or_default(), secondary.as_deref())?;
        let mut keys = Self { access, session: None, texts };
        keys.session = portal_secret.and_then(|secret| keys.session_keys(secret));
        Ok(keys)
    }

    /// The keys of sessions as a secret makes them. They are made out of both access keys, so that no session outlives
    /// a key that may have begun it.
    #[must_use]
    pub(crate) fn session_keys(&self, secret: &str) -> Option<SessionKeys> {
        let known: Vec<&str> = self.texts.iter().flatten().map(String::as_str).collect();
        SessionKeys::new(secret, &known.join("\n"))
    }
}

impl KeyRing {
    /// How old what is known of the keys may be where a token is checked: a key that was regenerated elsewhere is
    /// refused from then on.
    pub const MAX_AGE: Duration = Duration::from_secs(10);

    /// How old it may be where none of the known keys made a signature: a new key is accepted from then on. It bounds
    /// how often callers with bad tokens have the register asked.
    pub const MAX_AGE_FOR_NEW: Duration = Duration::from_secs(1);

    /// The keys of the configuration.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub fn new(configured: KeyTexts, portal_secret: Option<String>) -> Result<Self, AccessKeyError> {
        let keys = Arc::new(Keys::new(configured.clone(), portal_secret.as_deref())?);
        let known = Mutex::new(Known { asked: None, version: 0, keys });
        Ok(Self { configured, portal_secret, known })
    }

    /// The keys that hold, as far as they are known here.
    #[must_use]
    pub fn get(&self) -> Arc<Keys> {
        Arc::clone(&self.known().keys)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the register is to be asked for [`DirectoryCall::Keys`](crate::DirectoryCall::Keys), since what is known
    /// is older than `age`. A clock that was set back makes nothing younger.
    #[must_use]
    pub(crate) fn is_older(&self, now: Timestamp, age: Duration) -> bool {
        let asked = self.known().asked;
        asked.is_none_or(|asked| now < asked || now >= asked.after(age))
    }

    /// Whether the register has ever answered. While it fails, what was known before holds on.
    #[must_use]
    pub(crate) fn is_known(&self) -> bool {
        self.known().asked.is_some()
    }

    /// The keys that hold, or held so long ago. What is known is renewed by `ask`, which has the register's answer to
    /// [`DirectoryCall::Keys`](crate::DirectoryCall::Keys), if it is older than `age`; where the register fails, what was
    /// known before holds on.
    pub(crate) async fn no_older(
        &self,
        now: Timestamp,
        age: Duration,
        ask: impl Future<Output = Option<String>>,
    ) -> Arc<Keys> {
        if self.is_older(now, age) {
            self.learn(now, ask.await.as_deref());
        }
        self.get()
    }

    /// Takes what the register answered that was `asked` then. Returns whether it is what it stores.
    pub(crate) fn learn(&self, asked: Timestamp, text: Option<&str>) -> bool {
        let Some(stored) = text.and_then(StoredKeys::decode) else { return false };
        let mut known = self.known();
        known.asked = Some(asked);
        // Answers may overtake each other.
        let version = stored.version();
        if version > known.version
            && let Ok(keys) = Keys::new(stored.over(&self.configured), self.portal_secret.as_deref())
        {
            (known.version, known.keys) = (version, Arc::new(keys));
        }
        true
    }
}

/// Says nothing about the key.
impl fmt::Debug for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rotate(_) => "Rotate",
            Self::Regenerate(KeyRole::Primary, _) => "Regenerate(Primary)",
            Self::Regenerate(KeyRole::Secondary, _) => "Regenerate(Secondary)",
        })
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_auth::sign;

    use super::*;

    const SECRET: &str = "the operator's own secret";

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + millis)
    }

    fn ring(primary: &str, secondary: Option<&str>) -> KeyRing {
        let texts = [Some(primary.to_owned()), secondary.map(str::to_owned)];
        KeyRing::new(texts, Some(SECRET.to_owned())).unwrap()
    }

    fn texts(ring: &KeyRing) -> [Option<String>; 2] {
        ring.get().texts.clone()
    }

    fn some(primary: &str, secondary: &str) -> [Option<String>; 2] {
        [Some(primary.to_owned()), Some(secondary.to_owned())]
    }

    /// What is stored after these changes, which the ring learns.
    fn changed(ring: &KeyRing, before: &StoredKeys, change: KeyChange) -> StoredKeys {
        let after = before.clone().change(ring, change);
        assert!(ring.learn(at(0), Some(&after.encode())));
        after
    }

    #[test]
    fn a_rotation_keeps_the_primary_key_as_the_secondary() {
        let ring = ring("a", None);
        let stored = changed(&ring, &StoredKeys::decode("").unwrap(), KeyChange::Rotate("b".to_owned()));
        assert_eq!(texts(&ring), some("b", "a"));
        let stored = changed(&ring, &stored, KeyChange::Rotate("c".to_owned()));
        assert_eq!(texts(&ring), some("c", "b"));
        assert!(StoredKeys::decode(&stored.encode()).is_some_and(|read| read == stored));
    }

    #[test]
    fn a_regenerated_key_holds_in_the_place_of_its_own() {
        let ring = ring("a", Some("b"));
        let change = |role, key: &str| KeyChange::Regenerate(role, key.to_owned());
        let stored = changed(&ring, &StoredKeys::decode("").unwrap(), change(KeyRole::Primary, "c"));
        assert_eq!(texts(&ring), some("c", "b"));
        changed(&ring, &stored, change(KeyRole::Secondary, "d"));
        assert_eq!(texts(&ring), some("c", "d"));
    }

    #[test]
    fn a_key_that_is_configured_anew_holds_again() {
        let before = ring("a", None);
        let stored = changed(&before, &StoredKeys::decode("").unwrap(), KeyChange::Rotate("b".to_owned()));
        for (configured, expected) in [("a", some("b", "a")), ("b", some("b", "a")), ("x", some("x", "a"))] {
            let ring = ring(configured, None);
            assert!(ring.learn(at(0), Some(&stored.encode())));
            assert_eq!(texts(&ring), expected, "{configured}");
        }
        let ring = ring("a", Some("own"));
        assert!(ring.learn(at(0), Some(&stored.encode())));
        assert_eq!(texts(&ring), some("b", "own"));
    }

    #[test]
    fn a_change_of_either_key_ends_sessions() {
        for role in [KeyRole::Primary, KeyRole::Secondary] {
            let ring = ring("a", Some("b"));
            let session = ring.get().session.as_ref().unwrap().sign(at(0));
            assert!(ring.get().session.as_ref().unwrap().verify(at(0), &session).is_ok());
            changed(&ring, &StoredKeys::decode("").unwrap(), KeyChange::Regenerate(role, "c".to_owned()));
            assert!(ring.get().session.as_ref().unwrap().verify(at(0), &session).is_err(), "{role}");
        }
    }

    #[test]
    fn an_older_answer_of_the_register_changes_nothing() {
        let ring = ring("a", None);
        let stored = changed(&ring, &StoredKeys::decode("").unwrap(), KeyChange::Rotate("b".to_owned()));
        assert!(ring.learn(at(1), Some("")));
        assert_eq!(texts(&ring), some("b", "a"));
        assert!(!ring.learn(at(2), Some("x")) && !ring.learn(at(2), None));
        assert!(ring.learn(at(3), Some(&stored.encode())));
    }

    #[test]
    fn the_register_is_asked_when_the_keys_are_old() {
        let ring = ring("a", None);
        let (age, new) = (KeyRing::MAX_AGE, KeyRing::MAX_AGE_FOR_NEW);
        assert!(ring.is_older(at(0), age) && !ring.is_known());
        assert!(ring.learn(at(100), Some("")));
        assert!(ring.is_known());
        assert!(!ring.is_older(at(10_099), age) && ring.is_older(at(10_100), age));
        assert!(!ring.is_older(at(1_099), new) && ring.is_older(at(1_100), new));
        assert!(ring.is_older(at(99), age), "a clock was set back");
    }

    #[test]
    fn a_change_is_read_as_it_was_written() {
        let key = "key".to_owned();
        for change in [
            KeyChange::Rotate(key.clone()),
            KeyChange::Regenerate(KeyRole::Primary, key.clone()),
            KeyChange::Regenerate(KeyRole::Secondary, key),
        ] {
            assert_eq!(KeyChange::decode(&change.encode()), Some(change.clone()));
            assert!(!format!("{change:?}").contains("key"));
        }
        for text in ["", "x", "kkey", "éé"] {
            assert_eq!(KeyChange::decode(text), None, "{text}");
        }
        for text in ["x", "{}", r#"["1","","",""]"#, r#"["1","","","",1]"#] {
            assert!(StoredKeys::decode(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_signed_with_a_rotated_key_stays_good() {
        let ring = ring("a", None);
        let hosts = webpubsub_auth::Hosts { requested: "a.example", accepted: &[] };
        let audience = webpubsub_auth::ServiceAudience { hosts, path: "/p" };
        let token = sign(&ring.get().access, r#"{"aud":"http://a.example/p","exp":4000000000}"#);
        let is_good = || webpubsub_auth::verify_service(&ring.get().access, at(0), &token, &audience).is_ok();
        let stored = changed(&ring, &StoredKeys::decode("").unwrap(), KeyChange::Rotate("b".to_owned()));
        assert!(is_good());
        changed(&ring, &stored, KeyChange::Regenerate(KeyRole::Secondary, "c".to_owned()));
        assert!(!is_good());
    }
}
