//! A handle on a client's task: what every clone of a client, and every call of it, shares.

use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use webpubsub_client_core::{CommandId, Options};
use webpubsub_protocol::client::Encoding;

use crate::credential::Credential;
use crate::driver::Driver;
use crate::group_state::KnownStates;
use crate::inbox::{Control, Inbox};
use crate::pending::{Call, Reply};
use crate::platform::{Connector, can_spawn, spawn};
use crate::queue::QueueLimits;
use crate::subscribers::Subscribers;

/// A handle on a client's task. The task ends when there is none.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Shared>);

struct Shared {
    inbox: Arc<Inbox>,
    subscribers: Arc<Subscribers>,
    states: Arc<KnownStates>,
    /// The task, until something has to be done.
    idle: Mutex<Option<Box<Driver>>>,
}

impl Handle {
    pub(crate) fn new(
        options: Options,
        encoding: Encoding,
        credential: Credential,
        connector: Connector,
        limits: QueueLimits,
    ) -> Self {
        let inbox = Arc::<Inbox>::default();
        let subscribers = Arc::new(Subscribers::new(limits));
        let states = Arc::<KnownStates>::default();
        let shared = (inbox.clone(), subscribers.clone(), states.clone());
        let driver = Driver::new(options, encoding, credential, connector, shared);
        let idle = Mutex::new(Some(Box::new(driver)));
        let shared = Shared { inbox, subscribers, states, idle };
        #[cfg_attr(target_arch = "wasm32", expect(clippy::arc_with_non_send_sync, reason = "as native"))]
        Self(Arc::new(shared))
    }

    pub(crate) fn subscribers(&self) -> &Subscribers {
        &self.0.subscribers
    }

    pub(crate) fn states(&self) -> &KnownStates {
        &self.0.states
    }

    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.0.inbox
    }

    /// Has the task do something and waits for the answer; `None` where there is no task. Dropped
    /// before that, it leaves nothing.
    pub(crate) async fn call<T, E>(&self, call: impl FnOnce(Reply<T, E>) -> Call) -> Option<Result<T, E>> {
        if !self.runs() {
            return None;
        }
        let id = CommandId(self.0.inbox.next_number());
        let (reply, answer) = oneshot::channel();
        let mut interest = Interest { inbox: &self.0.inbox, id, is_over: false };
        self.0.inbox.call(id, call(reply));
        let answer = answer.await;
        interest.is_over = true;
        answer.ok()
    }

    /// Has the task stop the session, and waits until it has.
    pub(crate) async fn stop(&self) {
        if self.is_idle() {
            return;
        }
        let (done, stopped) = oneshot::channel();
        self.0.inbox.control(Control::Stop(done));
        // A task that ended has stopped.
        let _ = stopped.await;
    }

    pub(crate) fn wake(&self) {
        if !self.is_idle() {
            self.0.inbox.control(Control::Wake);
        }
    }

    fn is_idle(&self) -> bool {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Begins the task where it has not begun; whether it could.
    fn runs(&self) -> bool {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.is_none() {
            return true;
        }
        if !can_spawn() {
            return false;
        }
        if let Some(driver) = idle.take() {
            spawn(driver.run());
        }
        true
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.inbox.leave();
    }
}

/// A caller's interest in the answer to a call.
struct Interest<'a> {
    inbox: &'a Inbox,
    id: CommandId,
    is_over: bool,
}

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.inbox.abort(self.id);
        }
    }
}
