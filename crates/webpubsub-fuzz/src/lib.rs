//! Known inputs with mistakes in them, for everything that reads what others send.
//!
//! [`decoders()`] lists what reads a client's, a server's or an event handler's bytes: each [`Decoder`] has the inputs of
//! the golden vectors, and what must hold of its answer to any input. [`run()`] makes mutants of
//! those inputs and fails at the first one that breaks a promise, panics, hangs or takes longer
//! than [`LIMIT`]. A mutant depends on its seed and its number only, so any one of them can be had
//! again by itself.
//!
//! Only tests use this crate: a broken promise is a panic.
//!
//! ```
//! use webpubsub_fuzz::{decoders, run};
//!
//! let filter = decoders().into_iter().find(|decoder| decoder.name == "filter").unwrap();
//! let summary = run(filter, 1, 0..100, |_| ()).unwrap();
//! assert_eq!(summary.mutants, 100);
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken promise is a failed test"
)]

mod corpus;
mod decoders;
mod mutate;
mod run;

pub use decoders::{Answer, Decoder, decoders};
pub use run::{Failure, LIMIT, Summary, run};
