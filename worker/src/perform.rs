//! Doing what the hub answers: one output after another, without waiting in between.
//!
//! Writes come before the sends that depend on them in every list, and nothing here awaits, so the
//! platform lets no frame out before what was written for it is on disk.

use std::rc::Rc;

use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol, json, protobuf};
use webpubsub_protocol::close::{CloseCode, fit_reason};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::{Timestamp, whole_millis};
use webpubsub_service::object_name;
use webpubsub_shard::{Batch, Call, Full, Input, Output, Reply, ShardId, Slot};
use worker::web_sys::{Headers, WebSocket};

use crate::event_handler::Told;
use crate::hub_shard::{ShardHost, internal};
use crate::log;
use crate::objects::{Objects, Question};
use crate::platform::{Error, Result, delete_alarm, set_alarm};
use crate::task::settled;

/// From so many bytes on a text is sent with an eye to memory.
const LARGE_TEXT_BYTES: usize = 1 << 20;

/// What a step came to, for whoever asked.
#[derive(Default)]
pub(crate) struct Step {
    /// The answer to a command.
    pub(crate) reply: Option<Reply>,
    /// How the client of a socket that was accepted speaks.
    pub(crate) accepted: Option<Subprotocol>,
    /// Why the socket of a connect was not accepted.
    pub(crate) refused: Option<Full>,
}

/// The time, in milliseconds.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as u64)
}

impl ShardHost {
    /// Gives the hub one input and does what it answers. `socket` is the one that an
    /// [`Input::Connect`] or [`Input::Recover`] is about.
    pub(crate) fn step(self: &Rc<Self>, input: Input, socket: Option<&WebSocket>) -> Result<Step> {
        let mut step = Step::default();
        let outputs = self.shard.borrow_mut().handle(now(), input);
        self.perform_all(outputs, socket, &mut step)?;
        self.keep_deadline();
        Ok(step)
    }

    /// Carries out what has arrived before, so that whoever asks finds it done.
    pub(crate) fn catch_up(self: &Rc<Self>) {
        if self.shard.borrow().has_queued() {
            self.turn();
        }
    }

    /// Has the hub carry out what waits, as much as fits into a turn.
    pub(crate) fn turn(self: &Rc<Self>) {
        let outputs = self.shard.borrow_mut().turn(now());
        if self.perform_all(outputs, None, &mut Step::default()).is_ok() {
            self.keep_deadline();
        }
    }

    /// Does what the hub asked for, and what follows from that, but leaves the alarm as it is.
    pub(crate) fn perform_all(
        self: &Rc<Self>,
        outputs: Vec<Output>,
        socket: Option<&WebSocket>,
        step: &mut Step,
    ) -> Result<()> {
        let mut gone = Vec::new();
        self.perform_each(outputs, socket, step, &mut gone)?;
        while let Some(slot) = gone.pop() {
            let lost = Input::Closed { slot, code: CloseCode::ABNORMAL, reason: String::new() };
            let outputs = self.shard.borrow_mut().handle(now(), lost);
            self.perform_each(outputs, None, step, &mut gone)?;
        }
        self.keep_time();
        self.turns.keep(self.shard.borrow().next_turn());
        Ok(())
    }

    /// One list of outputs; adds the slots whose sockets turned out to be gone.
    fn perform_each(
        self: &Rc<Self>,
        outputs: Vec<Output>,
        socket: Option<&WebSocket>,
        step: &mut Step,
        gone: &mut Vec<Slot>,
    ) -> Result<()> {
        for output in outputs {
            if let Err(error) = self.perform(output, socket, step, gone) {
                // What the hub believes is no longer what is on disk. Start again from the disk.
                log::failure("a shard's step", &error);
                // It may end by throwing, which is as good an end as returning.
                let _ = self.state.abort("a step of the shard failed");
                return Err(error);
            }
        }
        Ok(())
    }

    fn perform(
        self: &Rc<Self>,
        output: Output,
        socket: Option<&WebSocket>,
        step: &mut Step,
        gone: &mut Vec<Slot>,
    ) -> Result<()> {
        match output {
            Output::Accept { connection: _, subprotocol, slot } => {
                if let Some(socket) = socket {
                    self.state.accept_web_socket(socket);
                    self.sockets.put(slot.0, socket);
                    step.accepted = Some(subprotocol);
                }
            }
            Output::SkippedRoles(count) => {
                let what = format!("reading the roles of a client of hub {}", self.hub_name);
                log::refusal(&what, &format!("{count} are invalid, or more than it may have"));
            }
            Output::Refuse(why) => step.refused = Some(why),
            Output::CannotRecover => {}
            Output::Send { to, frame } => gone.extend(self.send_frame(&to, &frame)),
            Output::SendNumbered { to, frame: DataFrame::Json(frame) } => {
                if frame.len() < LARGE_TEXT_BYTES {
                    gone.extend(self.send_numbered_json(&to, &frame));
                } else {
                    // Joined by the platform, each would be three strings more.
                    for (slot, id) in to {
                        gone.extend(self.send_frame(&[slot], &Frame::Text(frame.with(Some(id)))));
                    }
                }
            }
            Output::SendNumbered { to, frame: DataFrame::Protobuf(frame) } => {
                gone.extend(self.send_numbered_protobuf(&to, &frame));
            }
            Output::Fetch { row, to } => {
                let message = self.storage.message(row)?;
                let outputs = self.shard.borrow_mut().handle(now(), Input::Fetched { message, to });
                self.perform_each(outputs, None, step, gone)?;
            }
            Output::Measure { slots } => {
                let measure = |slot: Slot| (slot, self.sockets.waiting(slot.0) as u64);
                let measured = Input::Measured(slots.into_iter().map(measure).collect());
                let outputs = self.shard.borrow_mut().handle(now(), measured);
                self.perform_each(outputs, None, step, gone)?;
            }
            Output::Close { slot, cause } => {
                self.sockets.close(slot.0, cause.code().0, fit_reason(cause.reason()));
            }
            Output::Forget { slot } => self.sockets.forget(slot.0),
            Output::Attach { slot, attachment } => {
                self.sockets.attach(slot.0, &attachment.encode()).map_err(Error::from)?;
            }
            Output::Store(change) => self.storage.store(change)?,
            Output::Reply(reply) => step.reply = Some(reply),
            // Told by the status of the response.
            Output::BatchTaken => {}
            Output::Relay { to, rows } => self.relay(to, &rows)?,
            Output::Call(call) => self.call(*call),
            Output::GiveUp { call, after } => self.calls.give_up(call.0 as f64, whole_millis(after) as f64),
            Output::EventFailed { connection, event, failure } => {
                let what = format!("telling an event handler of {event} of connection {connection}");
                log::refusal(&what, &failure.name());
            }
        }
        Ok(())
    }

    fn send_frame(&self, to: &[Slot], frame: &Frame) -> Vec<Slot> {
        let slots: Vec<u32> = to.iter().map(|slot| slot.0).collect();
        let failed = match frame {
            Frame::Text(text) => self.send_text(&slots, text),
            Frame::Binary(bytes) => self.sockets.send_bytes(&slots, bytes),
        };
        failed.into_iter().flatten().map(Slot).collect()
    }

    fn send_text(&self, slots: &[u32], text: &str) -> Option<Vec<u32>> {
        if text.len() < LARGE_TEXT_BYTES {
            self.sockets.send_text(slots, text)
        } else {
            self.sockets.send_large_text(slots, text.as_bytes())
        }
    }

    fn send_numbered_json(&self, to: &[(Slot, SequenceId)], frame: &json::DataFrame) -> Vec<Slot> {
        let slots: Vec<u32> = to.iter().map(|(slot, _)| slot.0).collect();
        // Exact below 2^53, which a count of messages never reaches.
        let numbers: Vec<f64> = to.iter().map(|(_, id)| id.0 as f64).collect();
        let head = format!("{}{}", frame.head(), json::DataFrame::BEFORE_SEQUENCE_ID);
        let failed = self.sockets.send_numbered(&slots, &head, &numbers, json::DataFrame::TAIL);
        failed.into_iter().flatten().map(Slot).collect()
    }

    /// The number stands in the middle of a binary frame, whose length stands at its front, so the
    /// frame is put together here: once for neighbours with the same number, which members of a
    /// group often have.
    fn send_numbered_protobuf(&self, to: &[(Slot, SequenceId)], frame: &protobuf::DataFrame) -> Vec<Slot> {
        to.chunk_by(|(_, one), (_, other)| one == other)
            .filter_map(|sharing| {
                let (_, id) = sharing.first()?;
                let slots: Vec<u32> = sharing.iter().map(|(slot, _)| slot.0).collect();
                self.sockets.send_bytes(&slots, &frame.with(Some(*id)))
            })
            .flatten()
            .map(Slot)
            .collect()
    }

    /// Sends rows of the log to another shard and tells the hub how it went.
    fn relay(self: &Rc<Self>, to: ShardId, rows: &[u64]) -> Result<()> {
        let mut messages = Vec::new();
        for row in rows {
            messages.extend(self.storage.message(*row)?.map(|message| (*row, message)));
        }
        let Some(last) = rows.last().copied() else { return Ok(()) };
        let batch = Batch { from: self.number, messages };
        let body = batch.encode();
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            let taken = match shard.post(to, &body).await {
                Ok(status) => (200..300).contains(&status),
                Err(error) => {
                    log::failure("relaying to another shard", &error);
                    false
                }
            };
            let told = shard.step(Input::Relayed { to, last, taken }, None);
            if let Err(error) = told {
                log::failure("a step after relaying", &error);
            }
        });
        Ok(())
    }

    async fn post(&self, to: ShardId, body: &str) -> Result<u16> {
        let headers = Headers::new()?;
        let question =
            Question { path: internal::BATCH, method: "POST", headers: &headers, body: body.into() };
        let name = object_name(&self.hub_name, to);
        let answer = Objects::shards(&self.env)?.ask(vec![name], question).await?.pop();
        Ok(answer.map_or(0, |answer| answer.status()))
    }

    /// Tells an event handler of an event, and the hub how that went.
    fn call(self: &Rc<Self>, call: Call) {
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            let hub = shard.hub_name.as_str();
            let Told { answered, delivery } =
                Told::of(&call, &shard.calls, false, hub, &shard.env, &shard.config).await;
            let result = answered.and_then(|answer| answer.taken(call.purpose));
            let delivery = delivery.encode(result.as_ref().err().copied());
            if let Err(error) = shard.storage.tables.keep_delivery(&delivery) {
                log::failure("keeping a delivery", &error);
            }
            if let Err(error) = shard.step(Input::Called { call: call.id, result }, None) {
                log::failure("a step after a call", &error);
            }
        });
    }

    /// Sees to it that the hub is told when time has passed, if it wants to be.
    fn keep_time(self: &Rc<Self>) {
        let due = self.shard.borrow().next_timeout().map(Timestamp::as_millis);
        match (due, self.due.get()) {
            (None, None) => return,
            (Some(due), Some(running)) if running <= due => return,
            (_, _) => self.due.set(due),
        }
        let Some(due) = due else { return self.timer.stop() };
        let passed = self.timer.wait(due.saturating_sub(now().as_millis()) as f64);
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            if settled(passed).await.is_ok_and(|passed| passed.is_truthy()) {
                shard.due.set(None);
                if let Err(error) = shard.step(Input::Timeout, None) {
                    log::failure("a step after a timer", &error);
                }
            }
        });
    }

    /// Sets the alarm for the hub's next deadline, which comes even if its memory is lost until then.
    pub(crate) fn keep_deadline(self: &Rc<Self>) {
        let due = self.shard.borrow().next_deadline().map(Timestamp::as_millis);
        match (due, self.alarm.get()) {
            (None, None) => return,
            (Some(due), Some(set)) if set <= due => return,
            // Exact below 2^53, which no time of ours reaches.
            (Some(due), _) => set_alarm(&self.state, due as f64),
            (None, Some(_)) => delete_alarm(&self.state),
        }
        self.alarm.set(due);
    }
}
