//! The JSON subprotocols, both directions: one object a text frame.
//!
//! The service decodes what clients send ([`decode_upstream`]) and encodes what they hear
//! ([`encode_downstream`], [`DataFrame`]); a native client does the opposite
//! ([`encode_upstream`], [`decode_downstream`]).
//!
//! `type` is matched without regard to case, property names with it; properties that nobody knows
//! are ignored, and of a property that stands there twice the last one counts.
//!
//! Source: client spec, sections 6 and 7.

mod downstream;
mod fields;
mod upstream;

pub use downstream::{DataFrame, decode_downstream, encode_downstream};
pub use upstream::{decode_upstream, encode_upstream};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use crate::data::{DataType, MessageData, Metadata};

/// A payload as the value of `data`.
struct DataValue<'a>(&'a MessageData);

impl Serialize for DataValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            MessageData::Text(text) => serializer.serialize_str(text),
            MessageData::Json(json) => json.as_raw().serialize(serializer),
            MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => {
                serializer.collect_str(&Base64Display::new(bytes, &STANDARD))
            }
        }
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for DataType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[expect(clippy::expect_used, reason = "structs of strings, numbers and raw JSON always print")]
fn print(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a frame is printable")
}
