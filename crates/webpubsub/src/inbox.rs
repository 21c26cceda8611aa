//! From the client's handles to its task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_channel::oneshot;
use webpubsub_client_core::{CommandId, InboundOptions, SubscriptionId};
use webpubsub_protocol::client::StreamId;

use crate::error::GroupStreamError;
use crate::feed::{Feed, Reader};
use crate::message::Message;
use crate::pending::Call;

/// What handles want of their task.
///
/// It holds no more calls than there are futures that wait for their answers: a call whose future
/// is dropped is taken out.
#[derive(Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    last_number: AtomicU32,
}

#[derive(Default)]
struct State {
    calls: VecDeque<(CommandId, Call)>,
    controls: VecDeque<Control>,
    /// To be taken before the next frame is read: nothing else makes a difference to them.
    listeners: Vec<Listener>,
    /// No task will ever read this.
    is_closed: bool,
    /// There is no handle.
    is_left: bool,
    waker: Option<Waker>,
}

/// What goes ahead of every call.
pub(crate) enum Control {
    /// A call that the task has taken is of no interest any more.
    Abort(CommandId),
    /// Stop, and say so when it is done.
    Stop(oneshot::Sender<()>),
    /// This is a good moment to look at the link.
    Wake,
    /// All readers of what a listener received are gone.
    Unlisten(SubscriptionId),
    /// The writer of a stream is gone.
    DropStream(StreamId),
}

/// Someone who listens to the streams that begin to arrive.
pub(crate) struct Listener {
    pub(crate) id: SubscriptionId,
    pub(crate) options: InboundOptions,
    pub(crate) feed: Feed<Began>,
}

/// A stream that begins to arrive.
#[derive(Debug)]
pub(crate) struct Began {
    pub(crate) group: String,
    pub(crate) id: String,
    pub(crate) fragments: Reader<Result<Message, GroupStreamError>>,
}

/// What a task finds in its inbox.
pub(crate) enum Mail {
    Control(Control),
    Call(CommandId, Call),
    /// Nothing will come any more: there is no handle.
    Left,
}

impl Inbox {
    /// A number for a call or a listener.
    pub(crate) fn next_number(&self) -> u32 {
        self.last_number.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Adds a call, unless no task will take it.
    pub(crate) fn call(&self, id: CommandId, call: Call) {
        let mut state = self.state();
        if !state.is_closed {
            state.calls.push_back((id, call));
            wake(state);
        }
    }

    /// The same for what goes ahead of calls.
    pub(crate) fn control(&self, control: Control) {
        let mut state = self.state();
        if !state.is_closed {
            state.controls.push_back(control);
            wake(state);
        }
    }

    /// Adds a listener, unless no task will take it.
    pub(crate) fn listen(&self, listener: Listener) {
        let mut state = self.state();
        if !state.is_closed {
            state.listeners.push(listener);
        }
    }

    /// The listeners that were added since the last time.
    pub(crate) fn take_listeners(&self) -> Vec<Listener> {
        std::mem::take(&mut self.state().listeners)
    }

    /// Takes a call back, or has the task give it up if it has taken it.
    pub(crate) fn abort(&self, id: CommandId) {
        let mut state = self.state();
        if let Some(index) = state.calls.iter().position(|(known, _)| *known == id) {
            let call = state.calls.remove(index);
            drop(state);
            drop(call);
        } else {
            drop(state);
            self.control(Control::Abort(id));
        }
    }

    /// Says that the last handle is gone.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        state.is_left = true;
        wake(state);
    }

    /// Says that no task will read this any more: whoever waits learns it.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        let unread = (std::mem::take(&mut state.calls), std::mem::take(&mut state.controls));
        let listeners = std::mem::take(&mut state.listeners);
        drop(state);
        drop((unread, listeners));
    }

    /// The next piece of mail; calls only if there is room for what they send.
    pub(crate) fn poll(&self, context: &mut Context<'_>, has_room: bool) -> Poll<Mail> {
        let mut state = self.state();
        if let Some(control) = state.controls.pop_front() {
            return Poll::Ready(Mail::Control(control));
        }
        if has_room && let Some((id, call)) = state.calls.pop_front() {
            return Poll::Ready(Mail::Call(id, call));
        }
        if std::mem::take(&mut state.is_left) {
            return Poll::Ready(Mail::Left);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the task, once the lock is free.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}
