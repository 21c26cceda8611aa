//! The tokens of servers that a thread has verified, as long as the same keys hold.

use std::sync::Arc;

use webpubsub_auth::VerifiedTokens;
use webpubsub_service::Keys;

/// Tokens, and the keys that they were verified with.
#[derive(Default)]
pub(crate) struct Verified {
    keys: Option<Arc<Keys>>,
    tokens: VerifiedTokens,
}

impl Verified {
    /// Those of these keys. With others nothing is known of any.
    pub(crate) fn of(&mut self, keys: &Arc<Keys>) -> &mut VerifiedTokens {
        if self.keys.as_ref().is_none_or(|known| !Arc::ptr_eq(known, keys)) {
            (self.keys, self.tokens) = (Some(Arc::clone(keys)), VerifiedTokens::default());
        }
        &mut self.tokens
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_auth::{Hosts, ServiceAudience, sign};
    use webpubsub_protocol::time::Timestamp;
    use webpubsub_service::KeyRing;

    use super::*;

    #[test]
    fn other_keys_know_nothing_of_a_token() {
        let keys = |key: &str| KeyRing::new([Some(key.to_owned()), None], None).unwrap().get();
        let (first, second) = (keys("first"), keys("second"));
        let claims = r#"{"aud":"https://h/api/x","exp":1700000060}"#;
        let (token, now) = (sign(&first.access, claims), Timestamp::from_millis(1_700_000_000_000));
        let audience = ServiceAudience { hosts: Hosts { requested: "h", accepted: &[] }, path: "/api/x" };
        let mut verified = Verified::default();
        let mut is_good =
            |keys: &Arc<Keys>| verified.of(keys).verify_service(&keys.access, now, &token, &audience).is_ok();
        assert_eq!([&first, &first, &second, &first].map(&mut is_good), [true, true, false, true]);
    }
}
