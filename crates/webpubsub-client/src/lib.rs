//! The browser client: a session behind the class that JavaScript sees.
//!
//! This crate translates and holds no rules; those are `webpubsub-client-core`'s. Calls and
//! events become inputs, outputs become calls of JavaScript:
//!
//! ```text
//! npm package ──► Client ──► Session ──► Output ──► Host
//!                   ▲                                 │
//!                   └─────────── Input ◄──────────────┘
//! ```
//!
//! What only JavaScript can do comes from a [`Host`], an object of the npm package: it opens
//! sockets (so a browser's, Node's, the package `ws` and a test's all work), keeps the timer, asks
//! the credential, raises events for the application, and has a protocol object read and write frames.
//! Messages and payloads stay JavaScript values that Rust never copies.
//!
//! Everything here is downloaded by a page, so size decides between ways that do the same: JavaScript's
//! errors, their words and its objects are made in JavaScript, and what crosses is numbers and names.

mod client;
mod clock;
mod host;
mod input;
mod output;
mod problem;
mod settings;
mod text;

pub use client::Client;
pub use host::Host;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
