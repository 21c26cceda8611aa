//! Events that wait to be delivered to event handlers, and what decides when that is.

mod call;
mod circuit_breaker;
pub(crate) mod durable;
mod number;
mod policy;
mod queue;
mod retry_policy;

pub use call::{Call, CallId};
pub use circuit_breaker::CircuitBreakers;
pub(crate) use number::{AFTER_CONNECTED, CONNECTED};
pub use policy::EventPolicy;
pub(crate) use queue::{
    CallUnderWay, ClosedConnection, EventQueue, EventQueues, MAX_DURABLE_EVENTS, MqttRequest, NO_QUEUE,
    Owner, QueueKind, ReplyTarget, Waiting,
};
pub use retry_policy::Attempts;
