//! wasm32 in a browser: its own tasks and timers, and gloo-net's WebSocket.

mod alarm;
mod json;
mod link;
mod negotiate;

use std::pin::Pin;

pub(crate) use alarm::{Alarm, Clock};
pub use json::JsError;
pub(crate) use link::{Connector, Link};
pub use negotiate::NegotiateError;

/// A future that a client owns: it stays on the page's one thread.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// What tasks of this target ask for: nothing, since a page has one thread.
pub trait MaybeSend {}

impl<T: ?Sized> MaybeSend for T {}

/// Whether there is something to run a task on: a page always has.
pub(crate) const fn can_spawn() -> bool {
    true
}

/// Runs a task beside the caller's.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(task);
}

/// 128 random bits in hexadecimal.
pub(crate) fn random_id() -> String {
    let random = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random())
}

/// Has panics written to the console, if that is wanted.
pub(crate) fn prepare() {
    #[cfg(feature = "console_error_panic_hook")]
    console_error_panic_hook::set_once();
}
