//! The JSON subprotocols, both directions: one object a text frame.
//!
//! The service decodes what clients send ([`decode_upstream`]) and encodes what they receive
//! ([`encode_downstream`], [`DataFrame`]); a native client does the opposite
//! ([`encode_upstream`], [`decode_downstream`]).
//!
//! The values of `type` and `dataType` are matched without regard to case, property names with it;
//! unknown properties are ignored, and of a property that stands there twice the last one
//! counts.
//!
//! Source: docs/spec/client.md#messages-to-the-service, docs/spec/client.md#messages-to-the-client.

mod downstream;
mod fields;
mod upstream;

pub use downstream::{DataFrame, decode_downstream, decode_logged, encode_downstream};
pub use upstream::{decode_upstream, encode_upstream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::StreamError;
use crate::data::{MessageData, Metadata};
use crate::json::{LARGE_SPARE_BYTES, Writer};

/// The text of a client's keep-alive, as Microsoft's SDK for JavaScript sends it. A host answers it with [`PONG`]
/// whatever the client speaks, without the shard.
///
/// Source: docs/spec/client.md#keep-alive.
pub const PING: &str = r#"{"type":"ping"}"#;
/// The answer to [`PING`].
pub const PONG: &str = r#"{"type":"pong"}"#;

/// Writes a payload: `dataType` and `data`.
fn with_data(frame: &mut Writer, data: &MessageData) {
    frame.text("dataType", data.data_type().as_str());
    match data {
        MessageData::Text(text) => frame.text("data", text),
        MessageData::Json(json) => frame.json("data", json.as_str()),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => {
            frame.text("data", &STANDARD.encode(bytes))
        }
    };
}

/// The same with a payload that is given away: a large one costs its size but once.
fn with_given_data(mut frame: Writer, data: MessageData) -> Writer {
    frame.text("dataType", data.data_type().as_str());
    match data {
        MessageData::Text(text) => frame.with_text("data", text),
        MessageData::Json(json) => frame.with_json("data", json.into_value()),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => frame.with_text("data", base64(bytes)),
    }
}

/// The base64 of bytes, in their own place: from the end, where nothing has yet to be read.
fn base64(mut bytes: Vec<u8>) -> String {
    const STEP: usize = 3 * 1024;
    let length = bytes.len();
    let encoded = length.div_ceil(3) * 4;
    bytes.reserve_exact(encoded - length + LARGE_SPARE_BYTES);
    bytes.resize(encoded, 0);
    for start in (0..length).step_by(STEP).rev() {
        let text = STANDARD.encode(bytes.get(start..length.min(start + STEP)).unwrap_or_default());
        let place = start / 3 * 4;
        if let Some(place) = bytes.get_mut(place..place + text.len()) {
            place.copy_from_slice(text.as_bytes());
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes the `message` and the `userErrorCode` of a stream's error, where it has them.
fn with_error_parts(frame: &mut Writer, error: &StreamError) {
    for (name, text) in [("message", &error.message), ("userErrorCode", &error.user_error_code)] {
        if let Some(text) = text {
            frame.text(name, text);
        }
    }
}

/// Writes `metadata`, if there is any.
fn with_metadata(frame: &mut Writer, metadata: &Metadata) {
    if !metadata.is_empty() {
        let mut entries = Writer::object();
        for (key, value) in metadata.iter() {
            entries.text(key, value);
        }
        frame.json("metadata", &entries.finish());
    }
}
