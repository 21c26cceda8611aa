//! The words of the Web PubSub wire, and nothing else: no state, no clock, no I/O.
//!
//! Six vocabularies live here, each parsed once into types that cannot be wrong:
//!
//! - **What clients send and receive** over their WebSocket: [`client`], with one codec a subprotocol
//!   ([`client::json`], [`client::protobuf`], [`client::simple`]) and the URL that they connect to
//!   ([`client::endpoint`]).
//! - **What servers ask** of the service over HTTP: [`rest`], with the [`filter`]s by which they pick
//!   connections.
//! - **What the service sends to event handlers**, and what they answer: [`event_handler`].
//! - **Names, numbers and payloads** that all of them share: [`name`], [`id`], [`data`], [`limits`], [`time`].
//! - **What a token grants**: [`role`].
//! - **How a WebSocket ends**: [`close`].
//!
//! The other modules are what these are written in: [`json`], [`encoding`] and [`url`]. Nothing here decides who
//! may do what; that is the shard's.
//!
//! ```
//! use webpubsub_protocol::client::{UpstreamMessage, json};
//!
//! let message = json::decode_upstream(r#"{"type":"joinGroup","group":"room","ackId":1}"#)?;
//! assert!(matches!(message, UpstreamMessage::JoinGroup { ref group, .. } if group.as_str() == "room"));
//! # Ok::<(), webpubsub_protocol::error::DecodeError>(())
//! ```

pub mod client;
pub mod close;
pub mod data;
pub mod encoding;
pub mod error;
pub mod event_handler;
pub mod filter;
pub mod id;
pub mod json;
pub mod limits;
pub mod name;
pub mod rest;
pub mod role;
pub mod sorted;
pub mod time;
pub mod url;
