//! A shard's host on this platform: sockets, SQL, timer, alarm and requests, for the length of one step.
//!
//! Nothing here awaits, so the platform lets no frame out before what was written for it is on disk.

use std::rc::Rc;
use std::time::Duration;

use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol, json};
use webpubsub_protocol::close::{CloseCause, fit_reason};
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::{Timestamp, whole_millis};
use webpubsub_service::{
    Answered, EventCall, HubView, ObjectHost, ShardCall, ShardObject, TraceRequest, object_name,
};
use webpubsub_shard::{
    Answer, Attachment, Batch, Call, CallId, Change, Driver, Host, Input, NextTurn, Output, ShardId, Slot,
    StoredMessage, WatcherId,
};
use webpubsub_store::ShardStore;
use worker::web_sys::WebSocket;

use crate::event_handler::Caller;
use crate::log;
use crate::objects::{ask_shards, known_keys};
use crate::platform::{Error, Result, delete_alarm, now, set_alarm, variable};
use crate::shard_host::ShardHost;
use crate::sql::{Sql, keep_delivery};
use crate::task::settled;

/// From this many bytes on a text is sent with an eye to memory.
const LARGE_TEXT_BYTES: usize = 1 << 20;

/// The host of one step.
struct StepHost<'a> {
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
            DataFrame::Json(frame) => {
                // Joined by the platform, each would be three strings more.
                for (slot, id) in to {
                    self.send(&[*slot], &Frame::Text(frame.with(Some(*id))), lost);
                }
            }
            DataFrame::Protobuf(_) | DataFrame::Mqtt(_) => {
                // The number stands in the middle of a binary frame, whose length stands at its front, so
                // the frame is put together here: once for neighbours with the same number, which members
                // of a group often have.
                for sharing in to.chunk_by(|(_, one), (_, other)| one == other) {
                    let Some((_, id)) = sharing.first() else { continue };
                    let slots: Vec<u32> = sharing.iter().map(|(slot, _)| slot.0).collect();
                    if let Frame::Binary(bytes) = frame.with(Some(*id)) {
                        lose(sockets.send_bytes(&slots, &bytes), lost);
                    }
                }
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

    fn log_skipped_roles(&mut self, count: usize) {
        let what = format!("reading the roles of a client of hub {}", self.shard.hub_name);
        log::refusal(&what, &format!("{count} are invalid, or more than it may have"));
    }

    fn log_undelivered(&mut self, connection: &ConnectionId, event: &str, failure: CallFailure) {
        let what = format!("delivering {event} of connection {connection} to its event handler");
        log::refusal(&what, &failure.name());
    }

    fn set_timer(&mut self, due: Option<Timestamp>) {
        let Some(due) = due else { return self.shard.timer.stop() };
        let passed = self.shard.timer.wait(due.as_millis().saturating_sub(now().as_millis()) as f64);
        let shard = Rc::clone(self.shard);
        self.shard.state.wait_until(async move {
            if settled(passed).await.is_ok_and(|passed| passed.is_truthy()) {
                shard.driver.borrow_mut().timer_fired();
                if let Err(error) = shard.step(Input::Timeout, None) {
                    log::failure("a step after a timer", &error);
                }
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

    /// Has the shard take what its hub's directory delivers.
    pub(crate) fn take(self: &Rc<Self>, view: HubView) -> Result<()> {
        self.drive(None, |driver, host| ShardObject { driver, host }.take_view(view))
    }

    /// Answers a call. `socket` is the one that it brings.
    pub(crate) fn call_shard(
        self: &Rc<Self>,
        call: ShardCall,
        socket: Option<&WebSocket>,
    ) -> Result<Answered> {
        self.drive(socket, |driver, host| ShardObject { driver, host }.answer(call))
    }

    /// Carries out what has arrived before, so that a request finds it done.
    pub(crate) fn catch_up(self: &Rc<Self>) {
        // A failure has ended the object.
        let _ = self.drive(None, Driver::catch_up);
    }

    /// Takes a turn.
    pub(crate) fn turn(self: &Rc<Self>) {
        let _ = self.drive(None, Driver::turn);
    }

    /// Performs what restoring the shard led to.
    pub(crate) fn perform(self: &Rc<Self>, outputs: Vec<Output>) -> Result<Answer> {
        self.drive(None, |driver, host| driver.perform(host, outputs))
    }

    /// Sets the alarm, if it is not set yet.
    pub(crate) fn keep_alarm(self: &Rc<Self>) {
        self.driver.borrow_mut().keep_alarm(&mut StepHost { shard: self, socket: None });
    }

    fn drive<'a, T>(
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
        let call = ShardCall::Batch(batch);
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            let names = vec![object_name(&shard.hub_name, to)];
            let taken = match ask_shards(&shard.env, names, call).await {
                Ok(answers) => answers.iter().all(Option::is_some),
                Err(error) => {
                    log::failure("relaying to another shard", &error);
                    false
                }
            };
            if let Err(error) = shard.step(Input::Relayed { to, last, taken }, None) {
                log::failure("a step after relaying", &error);
            }
        });
    }

    /// Makes one attempt to deliver an event to its handler.
    fn call(self: &Rc<Self>, call: Call) {
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            let id = call.id;
            let (env, hub, calls) = (&shard.env, shard.hub_name.as_str(), &shard.calls);
            let keep = |delivery: &str| {
                keep_delivery(shard.store.object(), delivery);
                shard.driver.borrow_mut().shard.record_call(now(), delivery);
            };
            let caller = Caller { env, hub, calls, id: id.0 as f64, keep: &keep };
            let keys = known_keys(env, &shard.config).await;
            let mut call = EventCall::of(hub, call, &keys.access, &|name| variable(env, name));
            let outcome = call.make(&caller, None).await;
            let result = call.into_taken(outcome);
            if let Err(error) = shard.step(Input::Called { call: id, result }, None) {
                log::failure("a step after a call", &error);
            }
        });
    }
}
