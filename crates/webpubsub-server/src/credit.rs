//! How much may be on its way from one part of the server to another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use smallvec::SmallVec;
use tokio::sync::Notify;

/// What a message counts beside its bytes.
const MESSAGE_BYTES: usize = 512;

/// What the messages weigh that are on one way and have not been taken at its end.
#[derive(Debug)]
pub(crate) struct Credit {
    used: AtomicUsize,
    /// From this weight on, nothing more is to be sent.
    most: usize,
    returned: Notify,
}

/// The part of messages that are on their way. It is returned when this is dropped.
#[derive(Debug)]
pub(crate) struct Loan {
    credit: Arc<Credit>,
    weight: usize,
}

/// The loans of messages that are delivered together. Mostly there is one, which is kept without an allocation.
pub(crate) type Loans = SmallVec<[Loan; 1]>;

impl Credit {
    /// Credit for this many bytes.
    pub(crate) fn of(most: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), most, returned: Notify::new() })
    }

    /// Lends what messages of this many bytes in all weigh, whether or not there is as much.
    pub(crate) fn lend(self: &Arc<Self>, messages: usize, bytes: usize) -> Loan {
        let weight = bytes + messages * MESSAGE_BYTES;
        self.used.fetch_add(weight, Ordering::Relaxed);
        Loan { credit: Arc::clone(self), weight }
    }

    /// Whether there is any credit left.
    pub(crate) fn is_left(&self) -> bool {
        self.used.load(Ordering::Relaxed) < self.most
    }

    /// Waits until some was returned.
    pub(crate) async fn returned(&self) {
        self.returned.notified().await;
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let used = self.credit.used.fetch_sub(self.weight, Ordering::Relaxed);
        if used >= self.credit.most {
            self.credit.returned.notify_one();
        }
    }
}
