use std::num::NonZeroU16;

/// What links a packet to its acknowledgement: 1 to 65,535.
pub type PacketId = NonZeroU16;
