//! Group streams: what a client sends and receives piece by piece.
//!
//! They stand beside a session and know nothing of it. A host that has one reports what becomes of
//! its link, passes on what the service says of streams, and sends what they ask for.

mod error;
mod fragments;
mod inbound;
mod outbound;

pub use error::OutboundError;
pub use inbound::{
    InboundInput, InboundOptions, InboundOutput, InboundStreamId, InboundStreams, StreamEnding,
    SubscriptionId,
};
pub use outbound::{OutboundInput, OutboundOutput, OutboundStreams};
