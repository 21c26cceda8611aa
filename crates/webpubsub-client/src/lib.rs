//! The browser client: a session behind the class that JavaScript sees.
//!
//! This crate translates and holds no rules; those are `webpubsub-client-core`'s. Calls and
//! events become inputs, outputs become calls of JavaScript:
//!
//! ```text
//! npm package ──► Client ──► Session ──► Output ──► Host, Socket
//!                   ▲                                   │
//!                   └─────────── Input ◄────────────────┘
//! ```
//!
//! What only JavaScript can do comes from a [`Host`], an object of the npm package: it opens
//! sockets (so a browser's, Node's, the package `ws` and a test's all work), keeps the timer, asks
//! the credential and raises events for the application. JSON text is parsed and printed by JavaScript's own `JSON`
//! (`json.js`), and payloads stay JavaScript values that Rust never copies.
//!
//! Everything here is downloaded by a page, so size decides between ways that do the same.

mod client;
mod clock;
mod convert;
mod error;
mod host;
mod settings;

use wasm_bindgen::prelude::*;

pub use client::Client;
pub use host::Host;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Runs once, when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(console_error_panic_hook::hook));
}
