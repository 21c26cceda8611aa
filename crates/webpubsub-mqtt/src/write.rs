//! The data types of MQTT, written.

/// The largest text or binary value.
const MAX_LENGTH: usize = 0xffff;

/// What is being written of a packet.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    /// A big-endian number in its last bytes, at most four of them.
    pub(crate) fn number(&mut self, value: u32, bytes: usize) {
        let all = value.to_be_bytes();
        self.0.extend_from_slice(all.get(4 - bytes..).unwrap_or_default());
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.number(value.into(), 2);
    }

    pub(crate) fn variable(&mut self, mut value: u32) {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Bytes with their length in front; of longer ones what fits.
    pub(crate) fn binary(&mut self, bytes: &[u8]) {
        let bytes = bytes.get(..MAX_LENGTH).unwrap_or(bytes);
        self.number(bytes.len() as u32, 2);
        self.0.extend_from_slice(bytes);
    }

    /// A text without U+0000, which MQTT does not have ([MQTT-1.5.4-2]); of a longer one the characters that fit.
    pub(crate) fn text(&mut self, text: &str) {
        if text.contains('\0') {
            return self.text(&text.replace('\0', ""));
        }
        let end = text.floor_char_boundary(MAX_LENGTH);
        self.binary(text.get(..end).unwrap_or_default().as_bytes());
    }

    /// What was written is the body of a packet, up to `rest`.
    pub(crate) fn finish(self, first: u8, rest: &[u8]) -> Vec<u8> {
        let mut packet = Self(Vec::with_capacity(5 + self.0.len() + rest.len()));
        packet.u8(first);
        packet.variable((self.0.len() + rest.len()) as u32);
        packet.0.extend_from_slice(&self.0);
        packet.0.extend_from_slice(rest);
        packet.0
    }
}
