use hmac::{Hmac, Mac};
use sha2::Sha256;
use webpubsub_protocol::encoding::push_hex;
use webpubsub_protocol::name::ConnectionId;

use crate::access_key::AccessKeys;

impl AccessKeys {
    /// `ce-signature`: what proves to an event handler that an event of a connection comes from a
    /// service that has these keys. One entry a key, the primary's first.
    ///
    /// Source: `CloudEvents` spec, section 3.
    #[must_use]
    pub fn signature(&self, connection: &ConnectionId) -> String {
        let mut signature = String::new();
        for key in self.iter() {
            // A key of any length will do.
            let Ok(hmac) = Hmac::<Sha256>::new_from_slice(key.signing.as_bytes()) else { continue };
            signature.push_str(if signature.is_empty() { "sha256=" } else { ",sha256=" });
            for byte in hmac.chain_update(connection.as_str()).finalize().into_bytes() {
                push_hex(&mut signature, byte);
            }
        }
        signature
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_has_one_entry_a_key() {
        let (primary, secondary) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        let connection = ConnectionId::parse("c1a2b3c4").unwrap();
        let by_primary = "sha256=3873d4e3901d125ed199de43237cb727458ef043b6a2e34d8e109af683dd6aba";
        let by_secondary = "sha256=048e24b75e1875947c6f6d0c7718421602df4556117525cc6fc3cb715a3c122c";
        let one = AccessKeys::new(primary, None).unwrap();
        assert_eq!(one.signature(&connection), by_primary);
        let both = AccessKeys::new(primary, Some(secondary)).unwrap();
        assert_eq!(both.signature(&connection), format!("{by_primary},{by_secondary}"));
    }
}
