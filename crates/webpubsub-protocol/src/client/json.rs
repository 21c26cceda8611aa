//! The JSON subprotocols, both directions: one object a text frame.
//!
//! The service decodes what clients send ([`decode_upstream`]) and encodes what they hear
//! ([`encode_downstream`], [`DataFrame`]); a native client does the opposite
//! ([`encode_upstream`], [`decode_downstream`]).
//!
//! The values of `type` and `dataType` are matched without regard to case, property names with it;
//! properties that nobody knows are ignored, and of a property that stands there twice the last one
//! counts.
//!
//! Source: client spec, sections 6 and 7.

mod downstream;
mod fields;
mod upstream;

pub use downstream::{DataFrame, decode_downstream, encode_downstream};
pub use upstream::{decode_upstream, encode_upstream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data::{MessageData, Metadata};
use crate::json::Writer;

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
