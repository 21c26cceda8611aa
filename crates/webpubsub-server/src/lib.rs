//! The native service: the same rules as at the edge, in one process on one machine.
//!
//! Only translation happens here: sockets, HTTP, TLS, SQLite and timers on one side, the crates
//! `webpubsub-service`, `webpubsub-shard` and `webpubsub-store` on the other. See `ARCHITECTURE.md`.
//!
//! ```text
//!   connection ──► server ──► Gateway ──► shards, directory ──┐   any thread
//!                    │ upgrade                                ▼
//!   socket ◄──────► client ─── messages ──────────────► shard_task      the hub's thread:
//!                     ▲                                       │         take, turn, commit, release
//!                     └────────── sockets ◄── frames ─────────┘
//! ```
//!
//! [`run`] serves until a signal ends it. Its settings are a command line ([`Options`]) and the environment:
//!
//! ```no_run
//! use webpubsub_server::{Options, run};
//!
//! let options = Options::parse(["--port", "0", "--durability", "memory"].map(Into::into))?;
//! run(&options)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// The process: its command line, threads, listeners, files and end.
mod clock;
mod listening;
mod log;
mod open_files;
mod options;
mod process;
mod start_error;
mod storage;
mod supervisor;
mod thread;
mod tls;
mod variables;

// A connection's requests, and what they are answered with.
mod gateway_host;
mod head_timer;
mod long_heads;
mod pages;
mod refused_head;
mod request;
mod respond;
mod server;
mod timed;
mod verified;

// A client's WebSocket: its handshake, and what the client sends.
mod client;
mod frame_ends;
mod handshake;
mod long_messages;
mod message_timer;
mod offered_socket;
mod reading;
mod whole_frame;
mod wire;

// What clients are sent.
mod credit;
mod frame_queue;
mod frames;
mod joined_frames;
mod slices;
mod socket;
mod sockets;

// The objects of a thread: shards and directories, what they are asked, and where they are stored.
mod arrivals;
mod callers;
mod calls;
mod database;
mod directory;
mod objects;
mod running;
mod shard_host;
mod shard_message;
mod shard_task;

// Calls of event handlers.
mod event_host;
mod given_up;
mod http_client;

pub use options::{HELP, Options, OptionsError};
pub use process::run;
pub use start_error::StartError;
pub use storage::Durability;
pub use tls::CertificateError;
