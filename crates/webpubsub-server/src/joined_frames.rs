//! Frames that go to the same sockets one after the other, as if they were one: each socket is then given them at once.

use bytes::{Bytes, BytesMut};

/// The most bytes that are put together of several frames.
const MAX_JOINED_BYTES: usize = 64 << 10;

/// One frame or more.
#[derive(Debug)]
pub(crate) enum JoinedFrames {
    One(Bytes),
    Several(BytesMut),
}

impl JoinedFrames {
    /// Adds a frame, unless that makes them too long. Returns whether it was added.
    pub(crate) fn add(&mut self, frame: &[u8]) -> bool {
        if self.len() + frame.len() > MAX_JOINED_BYTES {
            return false;
        }
        if let Self::One(first) = self {
            *self = Self::Several(BytesMut::from(&**first));
        }
        if let Self::Several(frames) = self {
            frames.extend_from_slice(frame);
        }
        true
    }

    /// How many bytes they have.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(frame) => frame.len(),
            Self::Several(frames) => frames.len(),
        }
    }

    /// Their bytes.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::One(frame) => frame,
            Self::Several(frames) => frames.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_joined_in_their_order() {
        let mut frames = JoinedFrames::One(Bytes::from_static(b"a"));
        assert!(frames.add(b"bc") && frames.add(b"d"));
        assert_eq!(frames.len(), 4);
        assert_eq!(frames.into_bytes(), "abcd");
    }

    #[test]
    fn what_is_too_long_together_stays_apart() {
        let mut frames = JoinedFrames::One(Bytes::from(vec![b'a'; MAX_JOINED_BYTES - 1]));
        assert!(!frames.add(b"bc"));
        assert_eq!(frames.len(), MAX_JOINED_BYTES - 1);
        assert!(frames.add(b"b") && !frames.add(b"c"));
        let large = Bytes::from(vec![b'a'; 2 * MAX_JOINED_BYTES]);
        assert!(!JoinedFrames::One(large).add(b"b"));
    }
}
