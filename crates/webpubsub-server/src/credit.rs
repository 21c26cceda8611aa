//! How much of what a client has sent may be on its way to its shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// From this many bytes on, nothing more is read of a socket.
const MAX_BYTES: usize = 256 << 10;
/// What a message counts beside its bytes.
const MESSAGE_BYTES: usize = 512;

/// What one client's messages weigh that its shard has not taken.
#[derive(Debug, Default)]
pub(crate) struct Credit {
    used: AtomicUsize,
    returned: Notify,
}

/// The part of messages that are on their way. It is returned when this is dropped.
#[derive(Debug)]
pub(crate) struct Loan {
    credit: Arc<Credit>,
    bytes: usize,
}

impl Credit {
    /// Lends what messages of this many bytes in all weigh, whether or not there is as much.
    pub(crate) fn lend(self: &Arc<Self>, messages: usize, bytes: usize) -> Loan {
        let bytes = bytes + messages * MESSAGE_BYTES;
        self.used.fetch_add(bytes, Ordering::Relaxed);
        Loan { credit: Arc::clone(self), bytes }
    }

    /// Whether there is any credit left.
    pub(crate) fn is_left(&self) -> bool {
        self.used.load(Ordering::Relaxed) < MAX_BYTES
    }

    /// Waits until some was returned.
    pub(crate) async fn returned(&self) {
        self.returned.notified().await;
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let used = self.credit.used.fetch_sub(self.bytes, Ordering::Relaxed);
        if used >= MAX_BYTES {
            self.credit.returned.notify_one();
        }
    }
}
