//! The access keys of the service.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};

use crate::provider;

/// The service's access keys. Tokens made with either are good; new ones are made with the primary.
///
/// A key is the string's UTF-8 bytes, not base64-decoded.
///
/// Source: docs/spec/client.md#client-tokens.
pub struct AccessKeys {
    primary: AccessKey,
    secondary: Option<AccessKey>,
}

pub(crate) struct AccessKey {
    pub(crate) signing: EncodingKey,
    pub(crate) verifying: DecodingKey,
}

/// Which of the two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// Signs and verifies.
    Primary,
    /// Verifies only.
    Secondary,
}

/// A string is no access key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessKeyError {
    /// There is nothing in it.
    #[error("the {0} access key is empty")]
    Empty(KeyRole),
}

impl AccessKeys {
    /// Takes the keys as configured.
    ///
    /// # Errors
    /// [`AccessKeyError::Empty`]: with an empty key, anyone could sign.
    pub fn new(primary: &str, secondary: Option<&str>) -> Result<Self, AccessKeyError> {
        provider::install();
        Ok(Self {
            primary: AccessKey::new(primary, KeyRole::Primary)?,
            secondary: secondary.map(|key| AccessKey::new(key, KeyRole::Secondary)).transpose()?,
        })
    }

    pub(crate) const fn primary(&self) -> &AccessKey {
        &self.primary
    }

    /// The primary first: it is the one that most tokens are made with.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &AccessKey> {
        std::iter::once(&self.primary).chain(&self.secondary)
    }
}

/// A new key made of these random bytes: 64 characters that mean nothing in a connection string, a URL or a shell.
#[must_use]
pub fn access_key(random: [u8; 48]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// What a key is recognised by and cannot be found out from; empty for an empty key.
#[must_use]
pub fn fingerprint(key: &str) -> String {
    provider::install();
    let key = EncodingKey::from_secret(key.as_bytes());
    // No token and nothing else that a key signs is this text.
    key.and_then(|key| crypto::sign(b"fingerprint", &key, Algorithm::HS256)).unwrap_or_default()
}

impl AccessKey {
    fn new(key: &str, role: KeyRole) -> Result<Self, AccessKeyError> {
        let empty = AccessKeyError::Empty(role);
        if key.trim().is_empty() {
            return Err(empty);
        }
        // An empty secret is the only one that `jsonwebtoken` refuses.
        Ok(Self {
            signing: EncodingKey::from_secret(key.as_bytes()).map_err(|_| empty)?,
            verifying: DecodingKey::from_secret(key.as_bytes()).map_err(|_| empty)?,
        })
    }
}

/// Says how many keys there are and nothing about them.
impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKeys").field("keys", &self.iter().count()).finish_non_exhaustive()
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_keys_are_refused() {
        assert_eq!(AccessKeys::new("", None).unwrap_err(), AccessKeyError::Empty(KeyRole::Primary));
        assert_eq!(AccessKeys::new(" ", None).unwrap_err(), AccessKeyError::Empty(KeyRole::Primary));
        assert_eq!(AccessKeys::new("k", Some("")).unwrap_err(), AccessKeyError::Empty(KeyRole::Secondary));
    }

    #[test]
    fn different_keys_have_different_fingerprints() {
        assert_eq!(fingerprint("a"), fingerprint("a"));
        assert_ne!(fingerprint("a"), fingerprint("b"));
        assert_eq!((fingerprint("a").len(), fingerprint("")), (43, String::new()));
    }

    #[test]
    fn keys_are_not_printed() {
        let keys = AccessKeys::new("PrimarySecret", Some("SecondarySecret")).unwrap();
        assert_eq!(format!("{keys:?}"), "AccessKeys { keys: 2, .. }");
    }
}
