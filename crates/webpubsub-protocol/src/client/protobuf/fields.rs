//! The fields of one message, found in one pass and looked at when the message needs them.

use super::any;
use super::wire::{Reader, Value};
use crate::data::{JsonText, MessageData, Metadata, MetadataError};
use crate::error::DecodeError;
use crate::limits::MAX_METADATA_BYTES;

/// The largest number of a field that is looked at in a message other than the outermost.
const MAX_NUMBER: usize = 7;

/// The last field of each number.
pub(super) struct Fields<'a> {
    body: &'a [u8],
    last: [Option<Value<'a>>; MAX_NUMBER + 1],
}

impl<'a> Fields<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut last = [None; MAX_NUMBER + 1];
        for field in Reader::new(body) {
            let (number, value) = field?;
            if let Some(place) = last.get_mut(number as usize) {
                *place = Some(value);
            }
        }
        Ok(Self { body, last })
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.last(number).is_some()
    }

    pub(super) fn uint(&self, number: usize, property: &'static str) -> Result<Option<u64>, DecodeError> {
        self.last(number).map(|value| value.uint(property)).transpose()
    }

    pub(super) fn bytes(
        &self,
        number: usize,
        property: &'static str,
    ) -> Result<Option<&'a [u8]>, DecodeError> {
        self.last(number).map(|value| value.bytes(property)).transpose()
    }

    /// A string, if it is there.
    pub(super) fn optional_string(
        &self,
        number: usize,
        property: &'static str,
    ) -> Result<Option<&'a str>, DecodeError> {
        self.last(number).map(|value| value.string(property)).transpose()
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
            let (at, value) = field?;
            if at != number {
                continue;
            }
            entries += 1;
            if entries > MAX_METADATA_BYTES {
                return Err(MetadataError::TooLarge.into());
            }
            let entry = Fields::parse(value.bytes("metadata")?)?;
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

    /// Not empty.
    pub(super) fn invocation_id(&self, number: usize) -> Result<String, DecodeError> {
        match self.string(number, "invocation_id")? {
            "" => Err(DecodeError::Missing { property: "invocation_id" }),
            id => Ok(id.to_owned()),
        }
    }

    /// The payload; one that is left out beside metadata is empty text.
    ///
    /// Source: protobuf spec, section 4.
    pub(super) fn data(&self, number: usize, metadata: &Metadata) -> Result<MessageData, DecodeError> {
        match self.optional_data(number)? {
            None if metadata.is_empty() => Err(DecodeError::Missing { property: "data" }),
            data => Ok(data.unwrap_or_default()),
        }
    }

    /// The payload, if there is one.
    pub(super) fn optional_data(&self, number: usize) -> Result<Option<MessageData>, DecodeError> {
        let body = self.bytes(number, "data")?.unwrap_or_default();
        let Some((kind, value)) = member(body, &[1, 2, 3, 4])? else { return Ok(None) };
        Ok(Some(match kind {
            1 => MessageData::Text(value.string("text_data")?.to_owned()),
            2 => MessageData::Binary(value.bytes("binary_data")?.to_vec()),
            3 => any(value.bytes("protobuf_data")?.to_vec())?,
            _ => MessageData::Json(JsonText::parse(value.string("json_data")?)?),
        }))
    }

    fn last(&self, number: usize) -> Option<Value<'a>> {
        self.last.get(number).copied().flatten()
    }
}

/// The member of a oneof that counts: the last of those with these numbers.
pub(super) fn member<'a>(body: &'a [u8], numbers: &[u32]) -> Result<Option<(u32, Value<'a>)>, DecodeError> {
    let mut last = None;
    for field in Reader::new(body) {
        let (number, value) = field?;
        if numbers.contains(&number) {
            last = Some((number, value));
        }
    }
    Ok(last)
}
