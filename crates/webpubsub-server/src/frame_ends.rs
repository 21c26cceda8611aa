//! Where the frames of a client end, as far as their heads say: the library that reads them keeps that to itself.

/// The longest head: two bytes, eight of the length, four of the mask.
const MAX_HEAD_BYTES: usize = 14;
const FIN: u8 = 0x80;
const MASK: u8 = 0x80;
/// The opcodes from here on are those of control frames.
const CONTROL: u8 = 8;

/// How far a client's bytes have come.
#[derive(Debug, Default)]
pub(crate) struct FrameEnds {
    /// What has come of the next frame's head.
    head: [u8; MAX_HEAD_BYTES],
    head_bytes: u8,
    /// How much of the payload is still to come.
    left: u64,
    /// Whether a message has begun, and its last fragment has not.
    is_in_message: bool,
    /// Whether the payload is a part of a message, and no control frame's.
    is_data: bool,
    /// How many bytes have come of the message that has begun.
    held: usize,
    /// How many times something has begun that something has to follow: messages, and control frames between them.
    begun: u32,
    longest: u64,
}

impl FrameEnds {
    /// Takes bytes that have come.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        loop {
            let skipped = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            self.left -= skipped as u64;
            if self.is_data {
                self.held += skipped;
            }
            bytes = bytes.get(skipped..).unwrap_or_default();
            let Some((byte, rest)) = bytes.split_first() else { return };
            bytes = rest;
            if self.is_between_messages() {
                self.begun = self.begun.wrapping_add(1);
                self.held = 0;
            }
            if let Some(place) = self.head.get_mut(usize::from(self.head_bytes)) {
                *place = *byte;
                self.head_bytes += 1;
            }
            self.end_head();
        }
    }

    /// Begins the payload, if the head is complete.
    fn end_head(&mut self) {
        let [first, second, ..] = self.head;
        let (length_bytes, short) = match second & !MASK {
            126 => (2, 0),
            127 => (8, 0),
            length => (0, u64::from(length)),
        };
        let mask_bytes = if second & MASK == 0 { 0 } else { 4 };
        let head_bytes = usize::from(self.head_bytes);
        if head_bytes < 2 || head_bytes < 2 + length_bytes + mask_bytes {
            return;
        }
        let long = self.head.iter().skip(2).take(length_bytes);
        self.left = long.fold(short, |length, byte| length << 8 | u64::from(*byte));
        self.longest = self.longest.max(self.left);
        self.is_data = first & 0x0F < CONTROL;
        if self.is_data {
            self.is_in_message = first & FIN == 0;
        }
        self.head_bytes = 0;
    }

    /// Whether nothing has come that something has to follow.
    pub(crate) const fn is_between_messages(&self) -> bool {
        self.head_bytes == 0 && self.left == 0 && !self.is_in_message
    }

    /// The number of the message that has begun and has not ended, if there is one.
    pub(crate) const fn unfinished(&self) -> Option<u32> {
        if self.is_between_messages() { None } else { Some(self.begun) }
    }

    /// How many bytes have come of the payload of the message that has begun.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    /// The length of the longest frame.
    pub(crate) const fn longest(&self) -> u64 {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame with a mask.
    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..126 => bytes.push(MASK | length as u8),
            126..65_536 => bytes.extend([&[MASK | 126][..], &(length as u16).to_be_bytes()].concat()),
            _ => bytes.extend([&[MASK | 127][..], &(length as u64).to_be_bytes()].concat()),
        }
        bytes.extend([1, 2, 3, 4]);
        bytes.resize(bytes.len() + length, 0x81);
        bytes
    }

    #[test]
    fn the_end_of_a_frame_is_found_however_its_bytes_come() {
        for length in [0, 1, 125, 126, 1000, 65_535, 65_536, 70_000] {
            let bytes = frame(0x81, length);
            for piece in [1, 3, 7, bytes.len()] {
                let (mut ends, mut taken) = (FrameEnds::default(), 0);
                for piece in bytes.chunks(piece) {
                    assert_eq!(ends.is_between_messages(), taken == 0, "{taken} of {length}");
                    ends.take(piece);
                    taken += piece.len();
                }
                assert!(ends.is_between_messages(), "{length}");
                assert_eq!(ends.longest(), length as u64);
            }
        }
    }

    #[test]
    fn a_message_ends_with_its_last_fragment() {
        let mut ends = FrameEnds::default();
        for (bytes, is_between) in [
            (frame(0x01, 3), false),
            (frame(0x89, 2), false),
            (frame(0x00, 0), false),
            (frame(0x80, 1), true),
        ] {
            ends.take(&bytes);
            assert_eq!(ends.is_between_messages(), is_between, "{bytes:?}");
        }
        // A frame without a mask has a shorter head.
        ends.take(&[0x81, 1, b'a']);
        assert!(ends.is_between_messages());
    }

    #[test]
    fn each_unfinished_message_has_a_number_of_its_own() {
        let mut ends = FrameEnds::default();
        assert_eq!(ends.unfinished(), None);
        // A fragment, a ping and half of another fragment are one message.
        let (fragment, ping) = (frame(0x01, 3), frame(0x89, 2));
        ends.take(&fragment);
        let first = ends.unfinished();
        ends.take(&ping);
        ends.take(&fragment_start());
        assert_eq!(ends.unfinished(), first);
        // Its end and the beginning of the next one come together.
        ends.take(&[&[b'a'; 3][..], &[0x81]].concat());
        assert!(ends.unfinished().is_some_and(|next| Some(next) != first));
        ends.take(&frame(0x81, 5)[1..]);
        assert_eq!(ends.unfinished(), None);
    }

    #[test]
    fn what_has_come_of_a_message_is_its_payload() {
        let mut ends = FrameEnds::default();
        let mut held = |bytes: &[u8]| {
            ends.take(bytes);
            ends.held()
        };
        assert_eq!(held(&frame(0x01, 1000)[..500]), 492);
        assert_eq!(held(&frame(0x01, 1000)[500..]), 1000);
        // Neither a ping nor empty fragments are held.
        assert_eq!(held(&[frame(0x89, 100), frame(0x00, 0), frame(0x00, 0)].concat()), 1000);
        assert_eq!(held(&fragment_start()), 1000);
        assert_eq!(held(&[b'a'; 2]), 1002);
        // Its end and the beginning of the next one come together.
        assert_eq!(held(&[&[b'a'][..], &frame(0x01, 7)].concat()), 7);
    }

    /// The head of a last fragment of three bytes.
    fn fragment_start() -> Vec<u8> {
        frame(0x80, 3)[..6].to_vec()
    }

    #[test]
    fn a_length_beyond_all_numbers_never_ends() {
        let mut ends = FrameEnds::default();
        ends.take(&[&[0x82, 0xFF][..], &[0xFF; 8], &[0; 4], &[0; 100]].concat());
        assert!(!ends.is_between_messages());
        assert_eq!(ends.longest(), u64::MAX);
    }
}
