//! Where a packet ends: the fixed header, and packets that arrive in pieces.

use crate::error::DecodeError;
use crate::read::{Variable, variable};

/// Bytes that arrive in any cut, as packets.
///
/// It holds at most one packet that is not complete, and the message that was fed last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Framing {
    buffer: Vec<u8>,
    /// How much of the buffer has been read.
    read: usize,
    /// The largest packet, its header included.
    limit: usize,
}

/// A packet as it stands in the buffer.
pub(crate) struct Frame<'a> {
    /// Type and flags.
    pub(crate) first: u8,
    /// Whether its length could not be written shorter.
    pub(crate) is_minimal: bool,
    pub(crate) body: &'a [u8],
}

impl Framing {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), read: 0, limit }
    }

    /// Adds bytes behind those that are there.
    pub(crate) fn feed(&mut self, bytes: Vec<u8>) {
        if self.read == self.buffer.len() {
            self.buffer = bytes;
        } else {
            self.buffer.drain(..self.read);
            self.buffer.extend_from_slice(&bytes);
        }
        self.read = 0;
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &[u8] {
        self.buffer.get(self.read..).unwrap_or_default()
    }

    /// The next packet, if it is complete.
    ///
    /// # Errors
    /// [`DecodeError`] for a length that is not well formed ([MQTT-1.5.5-1]) or above the limit, as
    /// soon as the length is known.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, DecodeError> {
        if self.read == self.buffer.len() {
            self.forget();
        }
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some((first, behind)) = rest.split_first() else { return Ok(None) };
        let Some(Variable { value, length, is_minimal }) = variable(behind)? else { return Ok(None) };
        let size = 1 + length + value as usize;
        if size > self.limit {
            return Err(DecodeError::TooLarge);
        }
        let Some(body) = rest.get(1 + length..size) else { return Ok(None) };
        self.read += size;
        Ok(Some(Frame { first: *first, is_minimal, body }))
    }

    /// Gives the buffer's memory back.
    pub(crate) fn forget(&mut self) {
        self.buffer = Vec::new();
        self.read = 0;
    }
}
