//! The fields of one message, found in one pass and looked at when the message needs them.

use std::borrow::Cow;

use super::any;
use super::wire::{Reader, Value, string};
use crate::client::{GroupState, StreamId};
use crate::data::{JsonText, MessageData, Metadata, MetadataError};
use crate::error::DecodeError;
use crate::limits::{MAX_GROUP_STATE_ENTRIES, MAX_METADATA_BYTES};

/// The largest number of a field that is looked at in a message other than the outermost.
const MAX_NUMBER: usize = 7;

/// The members of `MessageData.data`.
///
/// Source: docs/spec/protobuf.md#downstream-messages.
const TEXT: u32 = 1;
const BINARY: u32 = 2;
const PROTOBUF: u32 = 3;
const JSON: u32 = 4;

/// The last field of each number and kind, and of which numbers bytes stand there several times. A
/// field of another kind than its number has is as good as none: it is an unknown field.
///
/// Source: docs/spec/protobuf.md#encoding; the generated parsers of Google's libraries for C#, C++ and Java.
pub(super) struct Fields<'a> {
    body: &'a [u8],
    numbers: [Option<u64>; MAX_NUMBER + 1],
    bytes: [Option<&'a [u8]>; MAX_NUMBER + 1],
    is_repeated: [bool; MAX_NUMBER + 1],
}

impl<'a> Fields<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Self {
            body,
            numbers: [None; MAX_NUMBER + 1],
            bytes: [None; MAX_NUMBER + 1],
            is_repeated: [false; MAX_NUMBER + 1],
        };
        for field in Reader::new(body) {
            let (number, value) = field?;
            let at = number as usize;
            match (
                value,
                fields.numbers.get_mut(at),
                fields.bytes.get_mut(at),
                fields.is_repeated.get_mut(at),
            ) {
                (Value::Varint(value), Some(last), ..) => *last = Some(value),
                (Value::Bytes(value), _, Some(last), Some(is_repeated)) => {
                    *is_repeated = last.replace(value).is_some();
                }
                _ => {}
            }
        }
        Ok(fields)
    }

    /// Whether there is a string, bytes or a message.
    pub(super) fn has(&self, number: usize) -> bool {
        self.bytes(number).is_some()
    }

    pub(super) fn uint(&self, number: usize) -> Option<u64> {
        self.numbers.get(number).copied().flatten()
    }

    pub(super) fn bytes(&self, number: usize) -> Option<&'a [u8]> {
        self.bytes.get(number).copied().flatten()
    }

    /// A message, if it is there; one in several parts is merged.
    pub(super) fn message(&self, number: usize) -> Result<Option<Cow<'a, [u8]>>, DecodeError> {
        if self.is_repeated.get(number) != Some(&true) {
            return Ok(self.bytes(number).map(Cow::Borrowed));
        }
        let mut merged = None;
        for field in Reader::new(self.body) {
            if let (at, Value::Bytes(part)) = field?
                && at as usize == number
            {
                merge(&mut merged, part);
            }
        }
        Ok(merged)
    }

    /// A string, if it is there.
    pub(super) fn optional_string(
        &self,
        number: usize,
        property: &'static str,
    ) -> Result<Option<&'a str>, DecodeError> {
        self.bytes(number).map(|bytes| string(bytes, property)).transpose()
    }

    /// A string, which is empty where it is left out.
    pub(super) fn string(&self, number: usize, property: &'static str) -> Result<&'a str, DecodeError> {
        self.optional_string(number, property).map(Option::unwrap_or_default)
    }

    /// The metadata, by key: a map on the wire has no order, and of a key that stands there twice
    /// the last value counts. More entries than metadata has bytes are refused unread.
    pub(super) fn metadata(&self, number: u32) -> Result<Metadata, DecodeError> {
        let mut map: Vec<(&str, &str)> = Vec::new();
        let mut entries = 0;
        for field in Reader::new(self.body) {
            let (at, Value::Bytes(entry)) = field? else { continue };
            if at != number {
                continue;
            }
            entries += 1;
            if entries > MAX_METADATA_BYTES {
                return Err(MetadataError::TooLarge.into());
            }
            let entry = Fields::parse(entry)?;
            let entry = (entry.string(1, "metadata")?, entry.string(2, "metadata")?);
            let found = map.binary_search_by(|(key, _)| (*key).cmp(entry.0));
            if let Ok(at) = found {
                map.remove(at);
            }
            let (Ok(at) | Err(at)) = found;
            map.insert(at, entry);
        }
        let entries = map.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        Ok(Metadata::parse(entries.collect())?)
    }

    /// A group's state, if there is one. More entries than it may have are refused unread.
    pub(super) fn state(&self, number: usize) -> Result<Option<GroupState>, DecodeError> {
        const INVALID: DecodeError = DecodeError::Invalid { property: "state" };
        let Some(body) = self.message(number)? else { return Ok(None) };
        let mut entries = Vec::new();
        for field in Reader::new(&body) {
            let (1, Value::Bytes(entry)) = field? else { continue };
            if entries.len() == MAX_GROUP_STATE_ENTRIES {
                return Err(INVALID);
            }
            let entry = Fields::parse(entry)?;
            entries.push((entry.string(1, "state")?.into(), entry.string(2, "state")?.into()));
        }
        GroupState::parse(entries).map(Some).ok_or(INVALID)
    }

    /// Every message of a number.
    pub(super) fn messages(&self, number: u32) -> impl Iterator<Item = Result<Fields<'a>, DecodeError>> {
        Reader::new(self.body).filter_map(move |field| match field {
            Ok((at, Value::Bytes(message))) if at == number => Some(Fields::parse(message)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// Not empty.
    pub(super) fn invocation_id(&self, number: usize) -> Result<String, DecodeError> {
        match self.string(number, "invocation_id")? {
            "" => Err(DecodeError::Missing { property: "invocation_id" }),
            id => Ok(id.to_owned()),
        }
    }

    /// The stream's id, which is field 1 wherever it stands.
    pub(super) fn stream_id(&self) -> Result<StreamId, DecodeError> {
        StreamId::parse(self.string(1, "stream_id")?)
    }

    /// The payload; one that is left out beside metadata is empty text.
    ///
    /// Source: docs/spec/protobuf.md#encoding.
    pub(super) fn data(&self, number: usize, metadata: &Metadata) -> Result<MessageData, DecodeError> {
        if metadata.is_empty() && !self.has(number) {
            return Err(DecodeError::Missing { property: "data" });
        }
        self.data_or_default(number)
    }

    /// The payload; one that is left out is empty text. A `MessageData` that is there has one of its
    /// members.
    ///
    /// Source: docs/spec/protobuf.md#encoding (the emulator's WebPubSubProtobufV1ProtocolTests.cs).
    pub(super) fn data_or_default(&self, number: usize) -> Result<MessageData, DecodeError> {
        match self.optional_data(number)? {
            None if self.has(number) => Err(DecodeError::Missing { property: "data" }),
            data => Ok(data.unwrap_or_default()),
        }
    }

    /// The payload, if there is one of a kind that is known.
    pub(super) fn optional_data(&self, number: usize) -> Result<Option<MessageData>, DecodeError> {
        let Some(body) = self.message(number)? else { return Ok(None) };
        let member = member(&body, &[TEXT, BINARY, PROTOBUF, JSON])?;
        let Some((kind, merged)) = member else { return Ok(None) };
        if kind == PROTOBUF {
            return any(merged.into_owned()).map(Some);
        }
        let fields = Fields::parse(&body)?;
        Ok(Some(match kind {
            TEXT => MessageData::Text(fields.string(1, "text_data")?.to_owned()),
            BINARY => MessageData::Binary(fields.bytes(2).unwrap_or_default().to_vec()),
            _ => MessageData::Json(JsonText::parse(fields.string(4, "json_data")?)?),
        }))
    }
}

/// The number of a member of a oneof, and its parts merged.
type Member<'a> = (u32, Cow<'a, [u8]>);

/// The member of a oneof that counts: the last of those with these numbers. Its parts are merged, but
/// for those before another member, which took their place.
///
/// Source: docs/spec/protobuf.md#encoding ("Last One Wins", "Oneofs").
pub(super) fn member<'a>(body: &'a [u8], numbers: &[u32]) -> Result<Option<Member<'a>>, DecodeError> {
    let (mut last, mut merged) = (None, None);
    for field in Reader::new(body) {
        if let (number, Value::Bytes(part)) = field?
            && numbers.contains(&number)
        {
            if last.replace(number) != Some(number) {
                merged = None;
            }
            merge(&mut merged, part);
        }
    }
    Ok(last.zip(merged))
}

/// Merges the next part of a message into those before it: messages in a row are one message.
fn merge<'a>(merged: &mut Option<Cow<'a, [u8]>>, part: &'a [u8]) {
    match merged {
        None => *merged = Some(Cow::Borrowed(part)),
        Some(before) => before.to_mut().extend_from_slice(part),
    }
}
