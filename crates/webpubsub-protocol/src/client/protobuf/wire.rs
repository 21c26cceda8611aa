//! Protobuf's wire format: varints and length-delimited fields, read in place and without
//! recursion.
//!
//! Source: docs/spec/protobuf.md#encoding.

use crate::error::DecodeError;

/// The largest field number.
const MAX_NUMBER: u64 = (1 << 29) - 1;

/// How many groups may be open in each other: as many as Google's runtimes take.
const MAX_GROUP_DEPTH: usize = 100;

const START_GROUP: u64 = 3;
const END_GROUP: u64 = 4;

/// What stands in one field. A field of another kind than its number has is an unknown field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number, a bool or an enum.
    Varint(u64),
    /// A string, bytes or a message.
    Bytes(&'a [u8]),
    /// Four bytes, eight bytes or a group, which no field here has.
    Other,
}

/// The fields of one message as they stand there: numbers and values.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let (number, wire_type) = self.tag()?;
        let value = match wire_type {
            START_GROUP => self.skip_group(number).map(|()| Value::Other)?,
            _ => self.value(wire_type)?,
        };
        Some((number, value))
    }

    /// A field's number and wire type.
    fn tag(&mut self) -> Option<(u32, u64)> {
        let tag = self.varint()?;
        let number = Some(tag >> 3).filter(|number| (1..=MAX_NUMBER).contains(number))?;
        Some((u32::try_from(number).ok()?, tag & 7))
    }

    /// What follows the tag of a field that is no group.
    fn value(&mut self, wire_type: u64) -> Option<Value<'a>> {
        Some(match wire_type {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Other)?,
            _ => return None,
        })
    }

    /// What follows the tag that opens a group, up to and including the one that closes it.
    fn skip_group(&mut self, number: u32) -> Option<()> {
        // The groups that are open, the innermost last.
        let mut open = vec![number];
        while let Some(innermost) = open.last() {
            match self.tag()? {
                (number, START_GROUP) if open.len() < MAX_GROUP_DEPTH => open.push(number),
                (number, END_GROUP) if number == *innermost => drop(open.pop()),
                // A group too deep, or the end of another one, is no value.
                (_, wire_type) => drop(self.value(wire_type)?),
            }
        }
        Some(())
    }

    /// Up to ten bytes of seven bits, the lowest first.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<(u32, Value<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(DecodeError::Malformed))
    }
}

/// A message being written, its fields in ascending order.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A number, if there is one.
    pub(super) fn uint(mut self, number: u32, value: Option<u64>) -> Self {
        if let Some(value) = value {
            self.varint(u64::from(number) << 3);
            self.varint(value);
        }
        self
    }

    /// A string that is left out where it is empty.
    pub(super) fn string(self, number: u32, text: &str) -> Self {
        if text.is_empty() { self } else { self.bytes(number, text.as_bytes()) }
    }

    /// A string, if there is one.
    pub(super) fn optional(self, number: u32, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.bytes(number, text.as_bytes()),
            None => self,
        }
    }

    /// Bytes, or a string that may be empty.
    pub(super) fn bytes(self, number: u32, bytes: &[u8]) -> Self {
        self.pieces(number, &[bytes])
    }

    /// Bytes that are given away: what is written takes their place, so that large ones cost their size
    /// but once.
    pub(super) fn given(mut self, number: u32, mut bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        self.head(number, length);
        let before = self.0.len();
        bytes.reserve_exact(before);
        bytes.resize(before + length, 0);
        bytes.copy_within(..length, before);
        if let Some(place) = bytes.get_mut(..before) {
            place.copy_from_slice(&self.0);
        }
        Self(bytes)
    }

    /// A message.
    pub(super) fn message(self, number: u32, message: &Self) -> Self {
        self.bytes(number, &message.0)
    }

    /// A message that is written in pieces.
    pub(super) fn pieces(mut self, number: u32, pieces: &[&[u8]]) -> Self {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.0.reserve(length.saturating_add(10));
        self.head(number, length);
        for piece in pieces {
            self.0.extend_from_slice(piece);
        }
        self
    }

    /// What was written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// What comes before so many bytes.
    fn head(&mut self, number: u32, length: usize) {
        self.varint(u64::from(number) << 3 | 2);
        self.varint(length as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A field that has to be UTF-8.
pub(super) fn string<'a>(bytes: &'a [u8], property: &'static str) -> Result<&'a str, DecodeError> {
    str::from_utf8(bytes).map_err(|_| DecodeError::Invalid { property })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<Vec<(u32, Value<'_>)>> {
        Reader::new(bytes).collect::<Result<_, _>>().ok()
    }

    #[test]
    fn numbers_of_every_length_are_read_as_written() {
        for shift in 0..64 {
            for value in [1 << shift, u64::MAX >> shift, 0] {
                let bytes = Writer::default().uint(MAX_NUMBER as u32, Some(value)).finish();
                assert_eq!(read(&bytes).unwrap(), [(MAX_NUMBER as u32, Value::Varint(value))]);
            }
        }
    }

    #[test]
    fn groups_are_passed_over_with_all_that_is_in_them() {
        // Field 1 a group of: a number, a group (2), bytes that look like its end, four and eight bytes.
        let bytes = [
            0x0b, 0x18, 0x01, 0x13, 0x14, 0x12, 0x01, 0x0c, 0x1d, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8,
            0x0c, 0x18, 7,
        ];
        assert_eq!(read(&bytes).unwrap(), [(1, Value::Other), (3, Value::Varint(7))]);
        let nested = |depth| [[0x0b].repeat(depth), [0x0c].repeat(depth)].concat();
        assert_eq!(read(&nested(MAX_GROUP_DEPTH)).unwrap(), [(1, Value::Other)]);
        assert_eq!(read(&nested(MAX_GROUP_DEPTH + 1)), None);
    }

    #[test]
    fn unknown_fields_of_every_kind_are_passed_over() {
        let bytes = [0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 0x80, 0, 0x22, 1, 9];
        let fields = [(1, Value::Other), (2, Value::Other), (3, Value::Varint(0)), (4, Value::Bytes(&[9]))];
        assert_eq!(read(&bytes).unwrap(), fields);
    }

    #[test]
    fn what_is_no_message_is_refused_once() {
        let cases: &[&[u8]] = &[
            &[0x00, 0x00],
            &[0x08],
            &[0x08, 0x80],
            &[0x80],
            &[0x09, 1, 2, 3, 4, 5, 6, 7],
            &[0x0d, 1, 2, 3],
            &[0x0a, 0x02, 0x00],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x0b],
            &[0x0c],
            &[0x0b, 0x14],
            &[0x0b, 0x13, 0x0c, 0x14],
            &[0x0b, 0x0c, 0x0c],
            &[0x0b, 0x08],
            &[0x0b, 0x00, 0x0c],
            &[0x0e],
            &[0x0f],
            &[0x80, 0x80, 0x80, 0x80, 0x10, 0x00],
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        ];
        for bytes in cases {
            assert_eq!(read(bytes), None, "{bytes:x?}");
            assert_eq!(Reader::new(bytes).filter(Result::is_err).count(), 1, "{bytes:x?}");
        }
    }
}
