//! What is left of a request's body when the request is answered.
//!
//! A connection that still has a body to carry can take no other request, and one that is closed with bytes unread may
//! lose the answer. So a host reads such a body and drops it, within these limits. Of a larger body, and of one that
//! comes slowly, the rest is not waited for: the connection ends with the answer.

use std::time::Duration;

/// The most bytes that are read of a body that is not needed.
pub const MAX_DROPPED_BYTES: usize = 8 << 20;

/// How long the sender of such a body may pause.
pub const DROP_PAUSE: Duration = Duration::from_secs(1);

/// For how long such a body is read.
pub const DROP_LIMIT: Duration = Duration::from_secs(5);
