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

mod arrivals;
mod callers;
mod calls;
mod client;
mod clock;
mod credit;
mod database;
mod directory;
mod event_host;
mod frame_ends;
mod frame_queue;
mod frames;
mod gateway_host;
mod given_up;
mod handshake;
mod head_timer;
mod http_client;
mod joined_frames;
mod listening;
mod log;
mod long_heads;
mod message_timer;
mod objects;
mod offered_socket;
mod open_files;
mod options;
mod pages;
mod process;
mod reading;
mod request;
mod respond;
mod running;
mod server;
mod shard_host;
mod shard_message;
mod shard_task;
mod slices;
mod socket;
mod sockets;
mod start_error;
mod storage;
mod supervisor;
mod thread;
mod timed;
mod tls;
mod variables;
mod verified;
mod whole_frame;
mod wire;

pub use options::{HELP, Options, OptionsError};
pub use process::run;
pub use start_error::StartError;
pub use storage::Durability;
pub use tls::CertificateError;
