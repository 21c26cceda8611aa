//! The protobuf subprotocols, both directions: one message a binary frame.
//!
//! The service decodes what clients send ([`decode_upstream`]) and encodes what they receive
//! ([`encode_downstream`], [`DataFrame`]); a native client does the opposite
//! ([`encode_upstream`], [`decode_downstream`]).
//!
//! Unknown fields of every wire type are ignored, groups included, which proto3 does not have. Of a
//! number or a string that stands there twice the last one counts, and so it is with the members of a
//! oneof; a message that stands there twice is one message in two parts. A field of a known number
//! and another wire type than it should have is an unknown one. Messages are written as Google's
//! runtime writes them: fields in ascending order, defaults left out.
//!
//! This is written by hand because derived code for these few flat messages takes twice the place
//! in the worker's wasm.
//!
//! Source: docs/spec/protobuf.md#upstream-messages, docs/spec/protobuf.md#downstream-messages,
//! docs/spec/protobuf.md#encoding.

mod any;
mod downstream;
mod fields;
mod upstream;
mod wire;

pub use any::any;
pub use downstream::{DataFrame, decode_downstream, encode_downstream};
pub use upstream::{decode_upstream, encode_upstream};

use wire::Writer;

use crate::client::GroupState;
use crate::data::{MessageData, Metadata};

/// A payload as a `MessageData`. It is given away: a large one costs its size but once.
fn data_value(data: MessageData) -> Vec<u8> {
    let (member, bytes) = match data {
        MessageData::Text(text) => (1, text.into_bytes()),
        MessageData::Binary(bytes) => (2, bytes),
        MessageData::Protobuf(any) => (3, any),
        MessageData::Json(json) => (4, json.into_value().into_bytes()),
    };
    Writer::default().given(member, bytes).finish()
}

/// Metadata as a map: one message an entry.
fn with_metadata(writer: Writer, number: u32, metadata: &Metadata) -> Writer {
    metadata.iter().fold(writer, |writer, (key, value)| with_entry(writer, number, key, value))
}

/// A group's state as `GroupState`.
fn state_value(state: &GroupState) -> Writer {
    state.iter().fold(Writer::default(), |writer, (key, value)| with_entry(writer, 1, &key, &value))
}

/// One entry of a map.
fn with_entry(writer: Writer, number: u32, key: &str, value: &str) -> Writer {
    let entry = Writer::default().bytes(1, key.as_bytes()).bytes(2, value.as_bytes());
    writer.message(number, &entry)
}
