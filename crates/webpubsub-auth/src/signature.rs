//! The signature of an event: `ce-signature`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use webpubsub_protocol::encoding::push_hex;
use webpubsub_protocol::name::ConnectionId;

use crate::access_key::AccessKeys;

impl AccessKeys {
    /// `ce-signature`: what proves to an event handler that an event of a connection comes from a
    /// service that has these keys. One entry a key, the primary's first.
    ///
    /// Source: docs/spec/cloudevents.md#signature.
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
