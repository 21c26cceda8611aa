//! From the client's handles to its task.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_channel::oneshot;
use webpubsub_client_core::CommandId;

use crate::pending::Call;

/// What handles want of their task.
///
/// It holds no more calls than there are futures that wait for their answers: a call whose future
/// is dropped is taken out.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<State>);

#[derive(Default)]
struct State {
    calls: VecDeque<(CommandId, Call)>,
    controls: VecDeque<Control>,
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
}

/// What a task finds in its inbox.
pub(crate) enum Mail {
    Control(Control),
    Call(CommandId, Call),
    /// Nothing will come any more: there is no handle.
    Left,
}

impl Inbox {
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
        drop(state);
        drop(unread);
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
