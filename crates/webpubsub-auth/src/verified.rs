//! Tokens of servers that were found good, so that the next request with the same one costs less.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use webpubsub_protocol::time::Timestamp;

use crate::access_key::AccessKeys;
use crate::audience::{PublicOrigin, ServiceAudience};
use crate::claims::{Expiry, Skew};
use crate::error::TokenError;
use crate::token::verify_service_until;

/// The most tokens that are kept; with one more the cache starts over.
const MAX_TOKENS: usize = 256;
/// A longer token is not kept. Those of the SDKs have 200 to 400 bytes.
const MAX_TOKEN_BYTES: usize = 2048;

/// Tokens of servers that were verified with the same keys and the same accepted hosts: whoever gets others makes
/// a new cache.
///
/// A token that is kept is good again for the same host and path, byte by byte, until it expires.
#[derive(Debug, Default)]
pub struct VerifiedTokens {
    /// By a hash of the token under a random key. A token is compared with one that is kept only where all 64 bits agree,
    /// so how long that takes says nothing to whoever guesses one.
    tokens: BTreeMap<u64, Verified>,
    hasher: RandomState,
}

struct Verified {
    token: Box<str>,
    host: Box<str>,
    path: Box<str>,
    /// When it was verified: the time at which it begins to be good is past.
    since: Timestamp,
    expiry: Expiry,
    origin: PublicOrigin,
}

impl VerifiedTokens {
    /// Checks a server's token as [`verify_service`](crate::verify_service) does.
    ///
    /// # Errors
    /// [`TokenError`] for a bad token: 401.
    pub fn verify_service(
        &mut self,
        keys: &AccessKeys,
        now: Timestamp,
        token: &str,
        expected: &ServiceAudience<'_>,
    ) -> Result<PublicOrigin, TokenError> {
        let hash = self.hasher.hash_one(token);
        if let Some(known) = self.tokens.get(&hash)
            && known.is_good(now, token, expected)
        {
            return Ok(known.origin.clone());
        }
        let (origin, expiry) = verify_service_until(keys, now, token, expected)?;
        if token.len() <= MAX_TOKEN_BYTES {
            if self.tokens.len() >= MAX_TOKENS {
                self.tokens.clear();
            }
            let verified = Verified {
                token: token.into(),
                host: expected.hosts.requested.into(),
                path: expected.path.into(),
                since: now,
                expiry,
                origin: origin.clone(),
            };
            self.tokens.insert(hash, verified);
        }
        Ok(origin)
    }
}

impl Verified {
    fn is_good(&self, now: Timestamp, token: &str, expected: &ServiceAudience<'_>) -> bool {
        now >= self.since
            && self.expiry.is_ahead(now, Skew::Tolerated)
            && *self.token == *token
            && *self.host == *expected.hosts.requested
            && *self.path == *expected.path
    }
}

/// Says nothing about the token.
impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::limits::TOKEN_CLOCK_SKEW;

    use super::*;
    use crate::audience::Hosts;
    use crate::error::AudienceError;
    use crate::token::sign;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const PATH: &str = "/api/hubs/chat/:send";

    fn keys(key: &str) -> AccessKeys {
        AccessKeys::new(key, None).unwrap()
    }

    fn token(number: usize) -> String {
        let claims =
            format!(r#"{{"aud":"https://h{PATH}","exp":1700000060,"nbf":1699999990,"jti":"{number}"}}"#);
        sign(&keys("k"), &claims)
    }

    fn audience(path: &str) -> ServiceAudience<'_> {
        ServiceAudience { hosts: Hosts { requested: "h", accepted: &[] }, path }
    }

    fn check(cache: &mut VerifiedTokens, now: Timestamp, token: &str) -> Result<String, TokenError> {
        // Whatever is not kept is refused.
        let origin = cache.verify_service(&keys("other"), now, token, &audience(PATH))?;
        Ok(origin.to_string())
    }

    fn with_one() -> (VerifiedTokens, String) {
        let (mut cache, token) = (VerifiedTokens::default(), token(0));
        cache.verify_service(&keys("k"), NOW, &token, &audience(PATH)).unwrap();
        (cache, token)
    }

    #[test]
    fn a_good_token_is_good_again_without_its_signature() {
        let (mut cache, token) = with_one();
        assert_eq!(check(&mut cache, NOW, &token), Ok("https://h".to_owned()));
    }

    #[test]
    fn a_token_that_is_kept_ends_when_it_expires() {
        let (mut cache, token) = with_one();
        let last = Timestamp::from_millis(1_700_000_060_000).after(TOKEN_CLOCK_SKEW);
        assert!(check(&mut cache, last, &token).is_ok());
        let after = Timestamp::from_millis(last.as_millis() + 1);
        assert_eq!(check(&mut cache, after, &token), Err(TokenError::Signature));
        let real = cache.verify_service(&keys("k"), after, &token, &audience(PATH));
        assert_eq!(real.unwrap_err(), TokenError::Expired);
    }

    #[test]
    fn a_clock_that_was_set_back_has_a_token_verified_again() {
        let (mut cache, token) = with_one();
        let before = Timestamp::from_millis(NOW.as_millis() - 1);
        assert_eq!(check(&mut cache, before, &token), Err(TokenError::Signature));
    }

    #[test]
    fn a_token_that_differs_in_any_byte_is_verified() {
        let (mut cache, token) = with_one();
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(check(&mut cache, NOW, &other).is_err(), "{at}");
        }
        let mut shorter = token;
        shorter.pop();
        assert!(check(&mut cache, NOW, &shorter).is_err());
    }

    #[test]
    fn a_token_is_good_for_its_path_and_host_only() {
        let (mut cache, token) = with_one();
        let elsewhere = cache.verify_service(&keys("k"), NOW, &token, &audience("/api/hubs/chat/:close"));
        assert_eq!(elsewhere.unwrap_err(), TokenError::Audience(AudienceError::Path));
        let hosts = Hosts { requested: "other", accepted: &[] };
        let elsewhere = cache.verify_service(&keys("k"), NOW, &token, &ServiceAudience { hosts, path: PATH });
        assert_eq!(elsewhere.unwrap_err(), TokenError::Audience(AudienceError::Host));
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut cache = VerifiedTokens::default();
        for number in 0..=MAX_TOKENS {
            cache.verify_service(&keys("k"), NOW, &token(number), &audience(PATH)).unwrap();
        }
        assert_eq!(cache.tokens.len(), 1);
        let long = sign(
            &keys("k"),
            &format!(r#"{{"aud":"https://h{PATH}","exp":1700000060,"x":"{}"}}"#, "x".repeat(MAX_TOKEN_BYTES)),
        );
        cache.verify_service(&keys("k"), NOW, &long, &audience(PATH)).unwrap();
        assert_eq!(cache.tokens.len(), 1);
    }
}
