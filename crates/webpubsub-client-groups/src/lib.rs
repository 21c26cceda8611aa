//! What the browser client loads when an application uses group streams or states.
//!
//! It is a WebAssembly module of its own, so that a page without them does not download it. Like
//! `webpubsub-client` it translates and holds no rules: those are `webpubsub-client-core`'s, the same
//! that a native client has.
//!
//! ```text
//! npm package ──► Groups ──► OutboundStreams, InboundStreams ──► GroupsHost
//!                   └──────► GroupStates
//! ```
//!
//! It sends nothing by itself: a [`GroupsHost`], an object of the npm package, has the client send what
//! streams ask for. Messages, payloads and states stay JavaScript values that Rust never copies.

#[path = "../../webpubsub-client/src/clock.rs"]
mod clock;
mod groups;
mod host;
mod problem;

pub use groups::Groups;
pub use host::GroupsHost;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
