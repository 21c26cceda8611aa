//! A shard's host on this platform: sockets, SQL, timer, alarm and requests, for the length of one step.
//!
//! Nothing here awaits, so the platform lets no frame out before what was written for it is on disk.

use std::rc::Rc;
use std::time::Duration;

use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol, json};
use webpubsub_protocol::close::{CloseCause, fit_reason};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::{Timestamp, whole_millis};
use webpubsub_service::{ObjectHost, ShardObject, TraceRequest, deliver, relay};
use webpubsub_shard::{
    Answer, Attachment, Batch, Call, CallId, Change, Driver, Host, Input, NextTurn, NotDone, ShardId, Slot,
    StoredMessage, WatcherId, send_by_number,
};
use webpubsub_store::ShardStore;
use worker::web_sys::WebSocket;

use crate::event_handler::Caller;
use crate::log;
use crate::platform::{Error, Result, delete_alarm, now, set_alarm};
use crate::promise::settled;
use crate::shard_host::ShardHost;
use crate::sql::Sql;

/// From this many bytes on a text is sent with an eye to memory.
const LARGE_TEXT_BYTES: usize = 1 << 20;

/// The host of one step.
pub(crate) struct StepHost<'a> {
    shard: &'a Rc<ShardHost>,
    /// The socket that an [`Input::Connect`] or [`Input::Recover`] is about.
    socket: Option<&'a WebSocket>,
}

impl Host for StepHost<'_> {
    type Error = Error;

    fn now(&self) -> Timestamp {
        now()
    }

    fn accept(&mut self, slot: Slot, _: ConnectionId, _: Subprotocol) -> bool {
        let Some(socket) = self.socket else { return false };
        // Sockets that are closing count among those that the platform lets an object have.
        if let Err(thrown) = self.shard.state.accept_web_socket(socket) {
            log::failure("accepting a socket", &Error::from(thrown));
            return false;
        }
        self.shard.sockets.put(slot.0, socket);
        true
    }

    fn attach(&mut self, slot: Slot, attachment: Attachment) -> Result<()> {
        self.shard.sockets.attach(slot.0, &attachment.encode()).map_err(Error::from)
    }

    fn send(&mut self, to: &[Slot], frame: &Frame, lost: &mut Vec<Slot>) {
        let sockets = &self.shard.sockets;
        let slots: Vec<u32> = to.iter().map(|slot| slot.0).collect();
        let failed = match frame {
            Frame::Text(text) if text.len() < LARGE_TEXT_BYTES => sockets.send_text(&slots, text),
            Frame::Text(text) => sockets.send_large_text(&slots, text.as_bytes()),
            Frame::Binary(bytes) => sockets.send_bytes(&slots, bytes),
        };
        lose(failed, lost);
    }

    fn send_numbered(&mut self, to: &[(Slot, SequenceId)], frame: &DataFrame, lost: &mut Vec<Slot>) {
        let sockets = &self.shard.sockets;
        match frame {
            DataFrame::Json(frame) if frame.len() < LARGE_TEXT_BYTES => {
                let slots: Vec<u32> = to.iter().map(|(slot, _)| slot.0).collect();
                // Exact below 2^53, which a count of messages never reaches.
                let numbers: Vec<f64> = to.iter().map(|(_, id)| id.0 as f64).collect();
                let head = format!("{}{}", frame.head(), json::DataFrame::BEFORE_SEQUENCE_ID);
                lose(sockets.send_numbered(&slots, &head, &numbers, json::DataFrame::TAIL), lost);
            }
            // A large text that the platform joins is three strings more, and of a binary frame the length stands at
            // its front, the number in its middle.
            DataFrame::Json(_) | DataFrame::Protobuf(_) | DataFrame::Mqtt(_) => {
                send_by_number(self, to, frame, lost);
            }
        }
    }

    fn unread_bytes(&self, slot: Slot) -> u64 {
        self.shard.sockets.waiting(slot.0) as u64
    }

    fn close(&mut self, slot: Slot, cause: CloseCause) {
        self.shard.sockets.close(slot.0, cause.code().0, fit_reason(cause.reason()));
    }

    fn rename(&mut self, from: Slot, to: Slot) {
        self.shard.sockets.rename(from.0, to.0);
    }

    fn forget(&mut self, slot: Slot) {
        self.shard.sockets.forget(slot.0);
    }

    fn store(&mut self, change: Change) -> Result<()> {
        self.shard.store.store(&change)
    }

    fn message(&mut self, row: u64) -> Result<Option<StoredMessage>> {
        self.shard.store.message(row)
    }

    fn relay(&mut self, to: ShardId, last: u64, batch: Batch) {
        self.shard.relay(to, last, batch);
    }

    fn call(&mut self, call: Call) {
        self.shard.call(call);
    }

    fn give_up(&mut self, call: CallId, after: Duration) {
        self.shard.calls.give_up(call.0 as f64, whole_millis(after) as f64);
    }

    fn send_trace(&mut self, to: WatcherId, text: &str) {
        // The end of one that is gone follows.
        let _ = self.shard.watchers.send_text(&[to.0], text);
    }

    fn unread_trace_bytes(&self, watcher: WatcherId) -> u64 {
        self.shard.watchers.waiting(watcher.0) as u64
    }

    fn close_trace(&mut self, watcher: WatcherId, cause: CloseCause) {
        self.shard.watchers.close(watcher.0, cause.code().0, fit_reason(cause.reason()));
    }

    fn log(&mut self, not_done: &NotDone<'_>) {
        log::refusal(&not_done.what(&self.shard.hub_name), not_done);
    }

    fn set_timer(&mut self, due: Option<Timestamp>) {
        let Some(due) = due else { return self.shard.timer.stop() };
        let passed = self.shard.timer.wait(due.as_millis().saturating_sub(now().as_millis()) as f64);
        let shard = Rc::clone(self.shard);
        self.shard.state.wait_until(async move {
            if settled(passed).await.is_ok_and(|passed| passed.is_truthy()) {
                shard.driver.borrow_mut().timer_fired();
                shard.end("a step after a timer", Input::Timeout);
            }
        });
    }

    fn set_alarm(&mut self, due: Option<Timestamp>) {
        match due {
            // Exact below 2^53, which no time of ours reaches.
            Some(due) => set_alarm(&self.shard.state, due.as_millis() as f64),
            None => delete_alarm(&self.shard.state),
        }
    }

    fn schedule_turn(&mut self, next: NextTurn) {
        self.shard.turns.schedule(next);
    }
}

impl ObjectHost for StepHost<'_> {
    type Database = Sql;

    fn tables(&self) -> &ShardStore<Sql> {
        &self.shard.store
    }

    fn hub(&self) -> &HubName {
        &self.shard.hub_name
    }

    fn accept_watcher(&mut self, WatcherId(watcher): WatcherId, query: &str) -> bool {
        let Some(socket) = self.socket else { return false };
        let watchers = &self.shard.watchers;
        let accepted = self.shard.state.accept_web_socket(socket).and_then(|()| {
            watchers.put(watcher, socket);
            watchers.attach(watcher, &TraceRequest::attachment(query))
        });
        accepted
            .inspect_err(|thrown| log::failure("accepting a watcher", &Error::from(thrown.clone())))
            .is_ok()
    }
}

/// Adds the slots of sockets that could not take a frame.
fn lose(failed: Option<Vec<u32>>, lost: &mut Vec<Slot>) {
    lost.extend(failed.into_iter().flatten().map(Slot));
}

impl ShardHost {
    /// Gives the shard one input and performs what follows. `socket` is the one that an [`Input::Connect`] or
    /// [`Input::Recover`] is about.
    pub(crate) fn step(self: &Rc<Self>, input: Input, socket: Option<&WebSocket>) -> Result<Answer> {
        self.drive(socket, |driver, host| driver.step(host, input))
    }

    /// The same, where nothing waits for the outcome.
    fn end(self: &Rc<Self>, what: &str, input: Input) {
        if let Err(error) = self.step(input, None) {
            log::failure(what, &error);
        }
    }

    /// Has the shard be asked something as an object. `socket` is the one that a call brings.
    pub(crate) fn ask<'a, T>(
        self: &'a Rc<Self>,
        socket: Option<&'a WebSocket>,
        ask: impl FnOnce(ShardObject<'_, StepHost<'a>>) -> Result<T>,
    ) -> Result<T> {
        self.drive(socket, |driver, host| ask(ShardObject { driver, host }))
    }

    /// Runs the driver. A failure ends the object.
    pub(crate) fn drive<'a, T>(
        self: &'a Rc<Self>,
        socket: Option<&'a WebSocket>,
        run: impl FnOnce(&mut Driver, &mut StepHost<'a>) -> Result<T>,
    ) -> Result<T> {
        let done = run(&mut self.driver.borrow_mut(), &mut StepHost { shard: self, socket });
        done.inspect_err(|error| {
            // What the shard believes is not what is on disk: the object starts again from the disk.
            log::failure("a shard's step", error);
            // It may end by throwing, which is as good an end as returning.
            let _ = self.state.abort("a step of the shard failed");
        })
    }

    /// Sends a batch to another shard, and gives the shard how that went.
    fn relay(self: &Rc<Self>, to: ShardId, last: u64, batch: Batch) {
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            let taken = relay(&shard.objects, &shard.hub_name, to, batch).await;
            shard.end("a step after relaying", Input::Relayed { to, last, taken });
        });
    }

    /// Makes one attempt to deliver an event to its handler.
    fn call(self: &Rc<Self>, call: Call) {
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            let (id, hub) = (call.id, &shard.hub_name);
            let keep = |record: &str| {
                if let Err(error) = shard.store.object().keep_delivery(record) {
                    log::failure("keeping a delivery", &error);
                }
                shard.driver.borrow_mut().shard.record_call(now(), record);
            };
            let (env, calls) = (&shard.objects.0, shard.calls.clone());
            let caller = Caller { env, hub: hub.as_str(), calls, id: id.0 as f64 };
            let result = deliver(&caller, &shard.objects, (hub, &shard.config.keys), call, &keep).await;
            shard.end("a step after a call", Input::Called { call: id, result });
        });
    }
}
