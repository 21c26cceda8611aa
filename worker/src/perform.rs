//! Doing what the hub answers: one output after another, without waiting in between.
//!
//! Writes come before the sends that depend on them in every list, and nothing here awaits, so the
//! platform lets no frame out before what was written for it is on disk.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_hub::{Batch, Call, Full, Input, Output, Reply, ShardNumber, Slot};
use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol, json, protobuf};
use webpubsub_protocol::close::{CloseCode, fit_reason};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Date, Error, Headers, Result, WebSocket};

use crate::config::object_name;
use crate::hub_shard::{Shard, internal};
use crate::objects::{Objects, Question};
use crate::{event_handler, log};

#[wasm_bindgen(inline_js = r#"
export function setAlarm(state, due) {
  // Part of the step's writes: nothing leaves before it is on disk, and a failure resets the object.
  state.storage.setAlarm(due);
}
export function deleteAlarm(state) {
  state.storage.deleteAlarm();
}
export class Timer {
  #stop;

  wait(milliseconds) {
    this.stop();
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), milliseconds);
      this.#stop = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }

  stop() {
    this.#stop?.();
  }
}
"#)]
extern "C" {
    /// Wakes the object at that time, in milliseconds since the Unix epoch.
    #[wasm_bindgen(js_name = setAlarm)]
    pub(crate) fn set_alarm(state: &JsValue, due: f64);

    /// Takes that back.
    #[wasm_bindgen(js_name = deleteAlarm)]
    pub(crate) fn delete_alarm(state: &JsValue);

    pub(crate) type Timer;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Timer;

    /// Waits, unless the wait before has not ended, which it does now. Gives whether it was as long
    /// as it was to be.
    #[wasm_bindgen(method)]
    fn wait(this: &Timer, milliseconds: f64) -> Promise;

    /// Ends the wait.
    #[wasm_bindgen(method)]
    fn stop(this: &Timer);
}

#[wasm_bindgen]
extern "C" {
    /// The object's state, with what `worker` leaves out of it.
    type RawState;

    /// Ends the object at once: its memory is gone and its sockets are closed.
    #[wasm_bindgen(method, catch)]
    fn abort(this: &RawState, reason: &str) -> std::result::Result<(), JsValue>;
}

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
    Timestamp::from_millis(Date::now().as_millis())
}

impl Shard {
    /// Gives the hub one input and does what it answers. `socket` is the one that an
    /// [`Input::Connect`] or [`Input::Recover`] is about.
    pub(crate) fn step(self: &Rc<Self>, input: Input, socket: Option<&WebSocket>) -> Result<Step> {
        let mut step = Step::default();
        let outputs = self.hub.borrow_mut().handle(now(), input);
        self.perform_all(outputs, socket, &mut step)?;
        Ok(step)
    }

    /// Does what the hub asked for, and what follows from that.
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
            let outputs = self.hub.borrow_mut().handle(now(), lost);
            self.perform_each(outputs, None, step, &mut gone)?;
        }
        self.keep_time();
        self.keep_deadline();
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
                let state: &JsValue = self.state.as_raw().as_ref();
                // It may end by throwing, which is as good an end as returning.
                let _ = state.unchecked_ref::<RawState>().abort("a step of the shard failed");
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
                    self.sockets.put(slot.0, socket.as_ref());
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
                gone.extend(self.send_numbered_json(&to, &frame));
            }
            Output::SendNumbered { to, frame: DataFrame::Protobuf(frame) } => {
                gone.extend(self.send_numbered_protobuf(&to, &frame));
            }
            Output::Fetch { row, to } => {
                let message = self.storage.message(row)?;
                let outputs = self.hub.borrow_mut().handle(now(), Input::Fetched { message, to });
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
            Output::GaveUp { connection, event, failure } => {
                let what = format!("telling an event handler of {event} of connection {connection}");
                log::refusal(&what, &failure.name());
            }
        }
        Ok(())
    }

    fn send_frame(&self, to: &[Slot], frame: &Frame) -> Vec<Slot> {
        let slots: Vec<u32> = to.iter().map(|slot| slot.0).collect();
        let failed = match frame {
            Frame::Text(text) => self.sockets.send_text(&slots, text),
            Frame::Binary(bytes) => self.sockets.send_bytes(&slots, bytes),
        };
        failed.into_iter().flatten().map(Slot).collect()
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
    fn relay(self: &Rc<Self>, to: ShardNumber, rows: &[u64]) -> Result<()> {
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

    async fn post(&self, to: ShardNumber, body: &str) -> Result<u16> {
        let headers = Headers::new();
        let question =
            Question { path: internal::BATCH, method: "POST", headers: &headers.0, body: body.into() };
        let name = object_name(&self.hub_name, to);
        let answer = Objects::shards(&self.env)?.ask(vec![name], question).await?.pop();
        Ok(answer.map_or(0, |answer| answer.status_code()))
    }

    /// Tells an event handler of an event, and the hub how that went.
    fn call(self: &Rc<Self>, call: Call) {
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            let since = now();
            let result = event_handler::post(&call, &shard.hub_name, &shard.env, &shard.config).await;
            let connection = Some(call.connection.as_str());
            let delivery =
                event_handler::delivery(since, &call.event, connection, call.attempt, &call.url, &result);
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
        let due = self.hub.borrow().next_timeout().map(Timestamp::as_millis);
        match (due, self.due.get()) {
            (None, None) => return,
            (Some(due), Some(running)) if running <= due => return,
            (_, _) => self.due.set(due),
        }
        let Some(due) = due else { return self.timer.stop() };
        let passed = self.timer.wait(due.saturating_sub(now().as_millis()) as f64);
        let shard = Rc::clone(self);
        self.state.wait_until(async move {
            if JsFuture::from(passed).await.is_ok_and(|passed| passed.is_truthy()) {
                shard.due.set(None);
                if let Err(error) = shard.step(Input::Timeout, None) {
                    log::failure("a step after a timer", &error);
                }
            }
        });
    }

    /// Sees to it that the hub is told when time has passed even if its memory is lost until then.
    fn keep_deadline(self: &Rc<Self>) {
        let due = self.hub.borrow().next_deadline().map(Timestamp::as_millis);
        let state: &JsValue = self.state.as_raw().as_ref();
        match (due, self.alarm.get()) {
            (None, None) => return,
            (Some(due), Some(set)) if set <= due => return,
            // Exact below 2^53, which no time of ours reaches.
            (Some(due), _) => set_alarm(state, due as f64),
            (None, Some(_)) => delete_alarm(state),
        }
        self.alarm.set(due);
    }
}
