#![doc = include_str!("../README.md")]
//!
//! # How it is made
//!
//! Every rule (connecting, acks, retries, recovery, keep-alive, streams, states) is
//! `webpubsub-client-core`'s, which is state machines without a clock or a socket. This crate drives
//! them: one task a client owns the session, the streams, the socket and the timer.
//! [`WebPubSubClient`] is a handle on that task.

mod builder;
mod client;
mod credential;
mod data;
mod driver;
mod error;
mod event;
mod feed;
mod group_state;
mod group_streams;
mod handle;
mod inbox;
mod link;
mod message;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod operation;
mod pending;
mod platform;
mod queue;
mod state_operation;
mod stream_writer;
mod subscribers;
#[cfg(target_arch = "wasm32")]
mod web;

pub use builder::{BuildError, Builder};
pub use client::WebPubSubClient;
pub use credential::Credential;
pub use data::{Data, DataError, PayloadError};
pub use error::{BoxError, GroupStreamError, GroupStreamWriteError, InvokeError, SendError, StartError};
pub use event::Event;
pub use group_state::GroupStateRecord;
pub use group_streams::{GroupStream, GroupStreamOptions, GroupStreams};
pub use message::{Answer, Message};
#[cfg(all(feature = "rustls", not(target_arch = "wasm32")))]
pub use native::TlsError;
pub use operation::{InvokeEvent, JoinGroup, LeaveGroup, Receipt, SendEvent, SendToGroup};
pub use platform::{BoxFuture, MaybeSend};
pub use queue::{Lagged, QueueLimits};
#[cfg(all(feature = "rustls", not(target_arch = "wasm32")))]
pub use rustls;
pub use state_operation::GroupStateOperation;
pub use stream_writer::{AbortReason, GroupStreamWriter, OpenGroupStream};
pub use subscribers::{Events, GroupMessages};
#[cfg(target_arch = "wasm32")]
pub use web::{JsError, NegotiateError};
pub use webpubsub_client_core::{
    Close, ConnectError, Next, NotSubscribed, OutboundError as StreamFailure, Retry, RetryMode,
};
pub use webpubsub_protocol::client::{AckError, StreamError, StreamId, Subprotocol};
pub use webpubsub_protocol::close::CloseCode;
pub use webpubsub_protocol::data::{DataType, NotJson};
pub use webpubsub_protocol::error::DecodeError;
pub use webpubsub_protocol::name::NameError;

#[cfg(all(not(target_arch = "wasm32"), not(feature = "native")))]
compile_error!("webpubsub: this target needs the feature `native`");
#[cfg(all(target_arch = "wasm32", not(feature = "web")))]
compile_error!("webpubsub: wasm32 needs the feature `web`");
