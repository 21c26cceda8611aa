//! The packets of MQTT 3.1.1 and 5.0, and nothing else: no session, no clock, no I/O.
//!
//! What clients send is an [`UpstreamPacket`], what they are sent a [`DownstreamPacket`]; the packets
//! that go both ways are one type in both. The service reads the former with a [`Decoder`], which takes
//! WebSocket messages of any cut (one byte, half a packet, many packets, none), and writes the latter
//! with [`DownstreamPacket::encode`]. A publish to many subscribers is encoded once for each protocol
//! version ([`EncodedPublish`]). The opposite direction, which test clients need, is
//! [`UpstreamPacket::encode`] and [`DownstreamDecoder`]; the worker does not link it.
//!
//! What is decoded is well formed by the rules of its version, as far as they concern one packet.
//! Topics with wildcards, topic aliases, client ids and all that depends on what came before are left
//! to the session, which can refuse them without ending the connection.
//!
//! ```
//! use webpubsub_mqtt::{Decoder, UpstreamPacket, Version};
//!
//! let mut decoder = Decoder::new(1024);
//! // CONNECT of 3.1.1 with clean session, a keep-alive of 60 s and the client id "a", in two messages.
//! decoder.feed(vec![0x10, 13, 0, 4, b'M', b'Q']);
//! assert_eq!(decoder.next_packet(), Ok(None));
//! decoder.feed(vec![b'T', b'T', 4, 2, 0, 60, 0, 1, b'a']);
//! let Ok(Some(UpstreamPacket::Connect(connect))) = decoder.next_packet() else { unreachable!() };
//! assert_eq!((connect.version, connect.client_id.as_str()), (Version::V3_1_1, "a"));
//! ```

mod decoder;
mod downstream;
mod error;
mod framing;
mod packet;
mod packet_id;
mod property;
mod publish;
mod read;
mod reason;
mod upstream;
mod version;
mod write;

pub use decoder::{Decoder, DownstreamDecoder};
pub use downstream::DownstreamPacket;
pub use error::DecodeError;
pub use packet::{
    Ack, Auth, Connack, Connect, Disconnect, Qos, Results, Subscribe, Subscription, Unsubscribe, Will,
};
pub use packet_id::PacketId;
pub use property::{MAX_USER_PROPERTIES, Properties, Property};
pub use publish::{EncodedPublish, Publish, PublishRef};
pub use reason::ReasonCode;
pub use upstream::{MAX_TOPICS, UpstreamPacket};
pub use version::Version;
