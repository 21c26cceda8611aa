//! The protobuf subprotocols for the browser client, as a module of its own: only pages that ask for
//! them download it.
//!
//! A frame of a protobuf subprotocol is one of the JSON subprotocol in other words. The npm package
//! reads and writes those, so this crate translates frames and nothing else, both ways with the codecs
//! of `webpubsub-protocol`: there is no second copy of the rules, and whatever message the codecs learn
//! is here as well.
//!
//! ```text
//! message ──► JSON ──► write ──► frame        frame ──► read ──► JSON ──► message
//! ```
//!
//! ```
//! use webpubsub_client_protobuf::{read, write};
//!
//! assert_eq!(write(r#"{"type":"ping"}"#), Some(vec![0x4a, 0]));
//! assert_eq!(read(&[0x22, 0]), Some(r#"{"type":"pong"}"#.to_owned()));
//! ```

use wasm_bindgen::prelude::*;
use webpubsub_protocol::client::{json, protobuf};

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// The protobuf frame of a client that says what this JSON frame does; none where there is none.
#[wasm_bindgen]
#[must_use]
pub fn write(frame: &str) -> Option<Vec<u8>> {
    json::decode_upstream(frame).ok().map(|message| protobuf::encode_upstream(&message))
}

/// The JSON frame of the service that says what this protobuf frame does, `null` for a message that
/// clients pass over; none for what is no frame.
#[wasm_bindgen]
#[must_use]
pub fn read(frame: &[u8]) -> Option<String> {
    let message = protobuf::decode_downstream(frame).ok()?;
    Some(message.map_or_else(|| "null".to_owned(), json::encode_downstream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_client_are_translated() {
        let frame = r#"{"type":"joinGroup","group":"g","ackId":1}"#;
        assert_eq!(write(frame).unwrap(), [0x32, 0x05, 0x0a, 0x01, b'g', 0x10, 0x01]);
        assert_eq!(write("{}"), None);
    }

    #[test]
    fn frames_of_the_service_are_translated() {
        assert_eq!(
            read(&[0x0a, 0x04, 0x08, 0x01, 0x10, 0x01]).unwrap(),
            r#"{"type":"ack","ackId":1,"success":true}"#
        );
        assert_eq!(read(&[0xf2, 0x01, 0x00]).unwrap(), "null");
        assert_eq!(read(b"hello"), None);
    }
}
