//! Everything but wasm32: tokio's tasks, timers and sockets, and tungstenite's frames.
//!
//! tokio-tungstenite is the library of choice because it checks what it reads (UTF-8, masks, lengths
//! of whole messages), says with what status a service refused an upgrade, and takes a socket as a
//! stream and a sink that one task can own. fastwebsockets is faster in a server, but after an error
//! it reads on in the middle of a frame, and its limit is one of frames.

mod alarm;
mod link;
#[cfg(feature = "rustls")]
mod tls;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::pin::Pin;

use tokio::runtime::Handle;

pub(crate) use alarm::{Alarm, Clock};
pub(crate) use link::{Connector, Link};
#[cfg(feature = "rustls")]
pub use tls::TlsError;

/// A future that a client owns: it moves between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What tasks of this target ask for: [`Send`].
pub trait MaybeSend: Send {}

impl<T: Send + ?Sized> MaybeSend for T {}

/// Whether there is a runtime to run a task on.
pub(crate) fn can_spawn() -> bool {
    Handle::try_current().is_ok()
}

/// Runs a task beside the caller's. Only called where [`can_spawn`].
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// 128 random bits in hexadecimal: the standard library keys its hashers from the system's randomness.
pub(crate) fn random_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// What a platform wants done once: nothing.
pub(crate) const fn prepare() {}
