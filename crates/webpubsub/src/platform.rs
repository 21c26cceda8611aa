//! What differs between the targets, under the same names.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::native::{Alarm, Clock, Connector, Link, can_spawn, prepare, random_id, spawn};
#[cfg(not(target_arch = "wasm32"))]
pub use crate::native::{BoxFuture, MaybeSend};
#[cfg(target_arch = "wasm32")]
pub(crate) use crate::web::{Alarm, Clock, Connector, Link, can_spawn, prepare, random_id, spawn};
#[cfg(target_arch = "wasm32")]
pub use crate::web::{BoxFuture, MaybeSend};
