//! Continuation tokens: where the next page of a list begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, crypto};
use webpubsub_protocol::limits::MAX_CONTINUATION_TOKEN_BYTES;
use webpubsub_protocol::name::{ConnectionId, GroupName, HubName};

use crate::access_key::AccessKeys;

/// A text is no continuation token of this list of members: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the continuation token does not belong to this list")]
pub struct ContinuationError;

/// Makes the token that continues the list of a group's members after this connection.
///
/// It holds nothing but the connection's id, and is good for as long as the key that signed it.
///
/// Source: docs/spec/rest.md#members-of-a-group.
#[must_use]
pub fn sign_continuation(keys: &AccessKeys, hub: &HubName, group: &GroupName, last: &ConnectionId) -> String {
    let signature = crypto::sign(&signed(hub, group, last), &keys.primary().signing, Algorithm::HS256);
    debug_assert!(signature.is_ok(), "every key signs");
    // Without a signature it continues nothing.
    format!("{}.{}", URL_SAFE_NO_PAD.encode(last.as_str()), signature.unwrap_or_default())
}

/// Reads after which connection a token continues a list, of one that [`verify_continuation`] has taken.
///
/// # Errors
/// [`ContinuationError`] for what is none.
pub fn read_continuation(token: &str) -> Result<ConnectionId, ContinuationError> {
    if token.len() > MAX_CONTINUATION_TOKEN_BYTES {
        return Err(ContinuationError);
    }
    let (last, _) = token.split_once('.').ok_or(ContinuationError)?;
    let last = URL_SAFE_NO_PAD.decode(last).map_err(|_| ContinuationError)?;
    let last = String::from_utf8(last).map_err(|_| ContinuationError)?;
    ConnectionId::parse(last).map_err(|_| ContinuationError)
}

/// Finds out after which connection a token continues the list of this group's members.
///
/// # Errors
/// [`ContinuationError`] unless one of the keys signed exactly this token for exactly this list.
///
/// Source: docs/spec/rest.md#members-of-a-group.
pub fn verify_continuation(
    keys: &AccessKeys,
    hub: &HubName,
    group: &GroupName,
    token: &str,
) -> Result<ConnectionId, ContinuationError> {
    let last = read_continuation(token)?;
    let (_, signature) = token.split_once('.').ok_or(ContinuationError)?;
    let message = signed(hub, group, &last);
    let is_signed = keys
        .iter()
        .any(|key| crypto::verify(signature, &message, &key.verifying, Algorithm::HS256).unwrap_or(false));
    if is_signed { Ok(last) } else { Err(ContinuationError) }
}

/// What is signed: each part with its length before it, so that no two lists have one in common,
/// and under a name that no JSON Web Token begins with.
fn signed(hub: &HubName, group: &GroupName, last: &ConnectionId) -> Vec<u8> {
    let mut message = b"continuation:".to_vec();
    for part in [hub.as_str(), group.as_str(), last.as_str()] {
        message.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{sign, verify};

    fn keys() -> AccessKeys {
        AccessKeys::new("primary", Some("secondary")).unwrap()
    }

    fn token(keys: &AccessKeys, hub: &str, group: &str, last: &str) -> String {
        let (hub, group) = (HubName::parse(hub).unwrap(), GroupName::parse(group).unwrap());
        sign_continuation(keys, &hub, &group, &ConnectionId::parse(last).unwrap())
    }

    fn check(keys: &AccessKeys, hub: &str, group: &str, token: &str) -> Result<String, ContinuationError> {
        let (hub, group) = (HubName::parse(hub).unwrap(), GroupName::parse(group).unwrap());
        verify_continuation(keys, &hub, &group, token).map(|id| id.to_string())
    }

    #[test]
    fn a_token_continues_its_own_list_and_no_other() {
        for last in ["c1", "c.1", "é", "a b\0"] {
            let token = token(&keys(), "chat", "room", last);
            assert_eq!(check(&keys(), "CHAT", "room", &token).as_deref(), Ok(last));
            assert_eq!(check(&keys(), "chat", "Room", &token), Err(ContinuationError));
            assert_eq!(check(&keys(), "other", "room", &token), Err(ContinuationError));
        }
        let shifted = token(&keys(), "chat", "a", "bc");
        let signature = shifted.split_once('.').unwrap().1;
        let forged = format!("{}.{signature}", URL_SAFE_NO_PAD.encode("c"));
        assert_eq!(check(&keys(), "chat", "ab", &forged), Err(ContinuationError));
    }

    #[test]
    fn a_token_outlives_the_change_to_a_new_primary_key() {
        let old = token(&AccessKeys::new("old", None).unwrap(), "chat", "room", "c1");
        assert!(check(&AccessKeys::new("new", Some("old")).unwrap(), "chat", "room", &old).is_ok());
        assert!(check(&AccessKeys::new("new", None).unwrap(), "chat", "room", &old).is_err());
    }

    #[test]
    fn no_mutant_of_a_token_continues_anything() {
        let token = token(&keys(), "chat", "room", "c1");
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
        for index in 0..token.len() {
            for byte in [b'A', b'B', b'.', b'_', b' ', b'='] {
                let mut mutant = token.clone().into_bytes();
                mutant[index] = byte;
                let mutant = String::from_utf8(mutant).unwrap();
                if mutant != token {
                    assert_eq!(check(&keys(), "chat", "room", &mutant), Err(ContinuationError), "{mutant}");
                }
            }
            let (start, end) = token.split_at(index);
            for mutant in [start, &format!("{end}A"), &format!("{token}=")] {
                assert_eq!(check(&keys(), "chat", "room", mutant), Err(ContinuationError), "{mutant}");
            }
        }
        let long = format!("{}{token}", "A".repeat(2048));
        assert_eq!(check(&keys(), "chat", "room", &long), Err(ContinuationError));
    }

    #[test]
    fn continuation_and_access_tokens_are_not_exchangeable() {
        let access = sign(&keys(), r#"{"aud":"chat","exp":4000000000}"#);
        assert_eq!(check(&keys(), "chat", "room", &access), Err(ContinuationError));
        assert!(verify(&keys(), &token(&keys(), "chat", "room", "c1")).is_err());
    }
}
