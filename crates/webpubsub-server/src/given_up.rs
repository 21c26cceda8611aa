//! Calls that are given up: now, or after a while.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

/// Whether a call is given up.
#[derive(Debug, Default)]
pub(crate) struct GivenUp {
    is_given_up: Cell<bool>,
    changed: Notify,
}

impl GivenUp {
    /// Gives the call up.
    pub(crate) fn give_up(&self) {
        self.is_given_up.set(true);
        self.changed.notify_waiters();
    }

    /// Gives the call up after this time.
    pub(crate) fn give_up_after(self: &Rc<Self>, after: Duration) {
        let call = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(after).await;
            if let Some(call) = call.upgrade() {
                call.give_up();
            }
        });
    }

    /// Resolves when the call is given up.
    pub(crate) async fn wait(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_given_up.get() {
                return;
            }
            changed.await;
        }
    }
}
