//! The packets of one client, in the version that its CONNECT asks for.

use crate::downstream::DownstreamPacket;
use crate::error::DecodeError;
use crate::framing::{Frame, Framing};
use crate::upstream::UpstreamPacket;
use crate::version::Version;

/// What one client sends, as packets.
///
/// Feed it each message, then take packets until there is none. After an error there is nothing more
/// to be had: it is answered with the same error again.
#[derive(Debug, Clone)]
pub struct Decoder {
    framing: Framing,
    version: Option<Version>,
    error: Option<DecodeError>,
}

impl Decoder {
    /// One for a new connection, whose packets may have so many bytes, their header included.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { framing: Framing::new(limit), version: None, error: None }
    }

    /// One for a connection whose CONNECT was taken before, and which is between two packets.
    #[must_use]
    pub const fn resume(version: Version, limit: usize) -> Self {
        Self { framing: Framing::new(limit), version: Some(version), error: None }
    }

    /// Takes a WebSocket message: any part of a packet, or several packets.
    pub fn feed(&mut self, bytes: Vec<u8>) {
        if self.error.is_none() {
            self.framing.feed(bytes);
        }
    }

    /// The next packet, if all of it has arrived.
    ///
    /// # Errors
    /// [`DecodeError`] for what is no packet, or none that may stand here. The connection has to end.
    pub fn next_packet(&mut self) -> Result<Option<UpstreamPacket>, DecodeError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let packet = self.read();
        if let Err(error) = packet {
            self.error = Some(error);
            self.framing.forget();
        }
        packet
    }

    fn read(&mut self) -> Result<Option<UpstreamPacket>, DecodeError> {
        // What does not speak MQTT is found at its first byte.
        let is_stranger =
            self.version.is_none() && self.framing.rest().first().is_some_and(|first| first >> 4 != 1);
        if is_stranger {
            return Err(DecodeError::NotConnect);
        }
        let Some(Frame { first, is_minimal, body }) = self.framing.next()? else { return Ok(None) };
        UpstreamPacket::read(first, is_minimal, body, &mut self.version).map(Some)
    }

    /// Whether a packet has begun that is not complete.
    #[must_use]
    pub fn is_mid_packet(&self) -> bool {
        !self.framing.rest().is_empty()
    }

    /// How many bytes have been fed and are not read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.framing.rest().len()
    }

    /// The version of CONNECT, once that has been read. Where CONNECT is refused for its version, the one to answer
    /// in.
    #[must_use]
    pub const fn version(&self) -> Option<Version> {
        self.version
    }
}

/// What the service sends, as packets: for test clients.
#[derive(Debug, Clone)]
pub struct DownstreamDecoder {
    framing: Framing,
    version: Version,
}

impl DownstreamDecoder {
    /// One for a client of this version, for packets of so many bytes.
    #[must_use]
    pub const fn new(version: Version, limit: usize) -> Self {
        Self { framing: Framing::new(limit), version }
    }

    /// Takes a WebSocket message.
    pub fn feed(&mut self, bytes: Vec<u8>) {
        self.framing.feed(bytes);
    }

    /// The next packet, if all of it has arrived.
    ///
    /// # Errors
    /// [`DecodeError`] for what is no packet that a service may send.
    pub fn next_packet(&mut self) -> Result<Option<DownstreamPacket>, DecodeError> {
        let version = self.version;
        let Some(Frame { first, is_minimal, body }) = self.framing.next()? else { return Ok(None) };
        DownstreamPacket::read(first, is_minimal, body, version).map(Some)
    }
}
