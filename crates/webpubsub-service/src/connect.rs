//! A client's handshake: from the request for a WebSocket to the shard that accepts it.

mod placing;

pub use placing::{PlaceStep, Placing};
