//! The data types of MQTT, read in place.

use crate::error::DecodeError;
use crate::packet_id::PacketId;

/// What is left of a packet's body.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(DecodeError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A big-endian number of so many bytes, at most four.
    pub(crate) fn number(&mut self, bytes: usize) -> Result<u32, DecodeError> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.number(1)? as u8)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(self.number(2)? as u16)
    }

    /// A variable byte integer, in as few bytes as it needs ([MQTT-1.5.5-1]).
    pub(crate) fn variable(&mut self) -> Result<u32, DecodeError> {
        match variable(self.0)? {
            Some(Variable { value, length, is_minimal: true }) => {
                self.take(length)?;
                Ok(value)
            }
            Some(_) => Err(DecodeError::VariableInteger),
            None => Err(DecodeError::Length),
        }
    }

    /// Bytes with their length in front.
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.number(2)?;
        self.take(length as usize)
    }

    /// A text, which has to be UTF-8 ([MQTT-1.5.4-1]) without U+0000 ([MQTT-1.5.4-2]). A byte order
    /// mark stays where it is ([MQTT-1.5.4-3]).
    pub(crate) fn text(&mut self) -> Result<String, DecodeError> {
        let text = str::from_utf8(self.binary()?).map_err(|_| DecodeError::Text)?;
        if text.contains('\0') { Err(DecodeError::Text) } else { Ok(text.to_owned()) }
    }

    /// A topic name or filter: at least one character ([MQTT-4.7.3-1]).
    pub(crate) fn topic(&mut self) -> Result<String, DecodeError> {
        Some(self.text()?).filter(|topic| !topic.is_empty()).ok_or(DecodeError::EmptyTopic)
    }

    /// A packet id, which is never 0 ([MQTT-2.2.1-3]).
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        PacketId::new(self.u16()?).ok_or(DecodeError::PacketId)
    }

    /// All that is left.
    pub(crate) const fn rest(&mut self) -> &'a [u8] {
        let rest = self.0;
        self.0 = &[];
        rest
    }
}

/// A variable byte integer as it stands there.
pub(crate) struct Variable {
    pub(crate) value: u32,
    /// How many bytes it takes.
    pub(crate) length: usize,
    /// Whether it could not be shorter.
    pub(crate) is_minimal: bool,
}

/// Reads up to four bytes of seven bits, the lowest first; `None` where bytes are missing.
pub(crate) fn variable(bytes: &[u8]) -> Result<Option<Variable>, DecodeError> {
    let mut value = 0;
    for (at, byte) in (0..4).zip(bytes) {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let length = at + 1;
            return Ok(Some(Variable { value, length, is_minimal: *byte != 0 || length == 1 }));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(DecodeError::VariableInteger) }
}
