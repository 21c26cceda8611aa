//! The application's event handler, and what goes wrong with it.

use std::time::Duration;

use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer};
use webpubsub_shard::{Call, CallId, Input as ShardInput, METRICS};

use super::World;
use crate::handler::{header, number, status};
use crate::simulation::check::{broken, check};
use crate::simulation::message::Message;
use crate::simulation::ringing::Ringing;
use crate::simulation::run::Bug;
use crate::simulation::summary::Happening;
use crate::simulation::words::event_name;

impl World {
    /// A shard calls an event handler.
    pub(super) fn call(&mut self, shard: usize, call: Call) {
        let life = self.shards[shard].life;
        self.calls.retain(|ringing| ringing.life == self.shards[ringing.shard].life);
        let mut others = self.calls.iter().filter(|ringing| ringing.shard == shard);
        let is_event = |call: &Call| call.event == event_name().as_str();
        // Of MQTT, sessions that follow each other have one id.
        let is_same = |other: &Call| {
            let session = |call| header(call, "ce-sessionId");
            other.connection == call.connection && session(other) == session(&call)
        };
        check!(
            !others.clone().any(|other| is_same(&other.call) && is_event(&other.call) == is_event(&call)),
            "shard {shard} does not wait for the answer of the connection's call before {call:?}"
        );
        check!(
            !is_event(&call)
                || !others.clone().any(|other| is_same(&other.call)
                    && other.call.attempt == 1
                    && number(&other.call) < number(&call)),
            "shard {shard} sends an event before the one before it was settled"
        );
        let most = self.shards[shard].config.sockets.most_calls();
        check!(others.by_ref().count() < most, "shard {shard} has too many calls under way");
        self.count(Happening::Call);
        if self.model.call(&call) && call.attempt == 1 {
            self.count(Happening::CallAgain);
        }
        if self.bug == Some(Bug::SettledBeforeTaken) && !is_event(&call) {
            let id = call.connection.as_str();
            self.shards[shard].disk.snapshot.durable_events.retain(|(_, event)| !event.contains(id));
        }
        let hangs = !self.calm && self.random.chance(self.faults.handler_hangs);
        let until = self.now.after(call.limit);
        self.calls.push(Ringing { shard, life, call, until, end: CallFailure::TimedOut, hangs });
    }

    /// A shard waits only so much longer for the end of a call.
    pub(super) fn give_up_call(&mut self, shard: usize, id: CallId, after: Duration) {
        let life = self.shards[shard].life;
        let is_it = |call: &&mut Ringing| (call.shard, call.life, call.call.id) == (shard, life, id);
        let Some(ringing) = self.calls.iter_mut().find(is_it) else {
            broken(format!("shard {shard} gives up {id:?}, which is not under way"))
        };
        let until = self.now.after(after);
        if until < ringing.until {
            (ringing.until, ringing.end) = (until, CallFailure::GivenUp);
        }
    }

    /// Some event handler answers.
    pub(super) fn answer(&mut self) {
        let count = self.calls.len();
        let start = self.random.below(count.max(1));
        let calm = self.calm;
        let at = (start..count).chain(0..start).find(|at| calm || !self.calls[*at].hangs);
        let Some(at) = at else { return };
        let ringing = self.calls.swap_remove(at);
        if !self.calm && self.random.chance(self.faults.handler_fails) {
            let result = match self.random.below(8) {
                0 => Err(CallFailure::Network),
                1 => Err(CallFailure::TimedOut),
                2 => Err(CallFailure::NotValidated),
                3 => Ok(status(404)),
                _ => Ok(status(503)),
            };
            return self.end_call(ringing, result, None);
        }
        let is_event = ringing.call.event == event_name().as_str();
        let mut answer = status(204);
        if self.random.chance(100) {
            answer.state = Some(["", "one", "two"][self.random.below(3)].to_owned());
        }
        let mut reply = None;
        if is_event && self.random.chance(500) {
            let number = self.model.messages.len() as u32;
            let message = Message::new(number, 0, None, None);
            let (content_type, body) = match &message.data {
                MessageData::Text(text) => ("text/plain", text.clone().into_bytes()),
                MessageData::Json(json) => ("application/json", json.as_str().as_bytes().to_vec()),
                MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => {
                    ("application/octet-stream", bytes.clone())
                }
            };
            answer = HandlerAnswer { status: 200, content_type: Some(content_type.into()), body, ..answer };
            self.model.messages.push(message);
            reply = Some(number);
        }
        self.end_call(ringing, Ok(answer), reply);
    }

    fn end_call(&mut self, ringing: Ringing, result: Result<HandlerAnswer, CallFailure>, reply: Option<u32>) {
        let Ringing { shard, life, call, .. } = ringing;
        if self.shards[shard].life != life {
            return;
        }
        self.note(|| format!("  shard {shard} receives of {:?}: {result:?}", call.id));
        let state = result.as_ref().ok().and_then(|answer| answer.state.clone());
        let result = result.and_then(|answer| answer.taken(call.purpose));
        let is_taken = result.is_ok();
        let input = ShardInput::Called { call: call.id, result };
        let done = self.step(shard, input, None, |model, now, _| {
            if is_taken {
                model.taken(now, &call, reply, state);
            }
        });
        if done && reply.is_some() {
            self.count(Happening::Answer);
        }
    }

    /// Calls that were not answered in time are over.
    pub(super) fn give_up_calls(&mut self) {
        while let Some(at) = self.calls.iter().position(|ringing| ringing.until <= self.now) {
            let ringing = self.calls.swap_remove(at);
            self.count(Happening::Timeout);
            let end = ringing.end;
            self.end_call(ringing, Err(end), None);
        }
    }

    /// How many events wait in the memory of a shard.
    pub(super) fn waiting_events(&self, shard: usize) -> u64 {
        let Some(core) = self.shards[shard].core() else { return 0 };
        let metrics = METRICS.iter().zip(core.metrics());
        metrics.filter(|(metric, _)| metric.name == "webpubsub_waiting_events").map(|(_, value)| value).sum()
    }

    /// Whether a shard waits for an event handler, and so does not sleep.
    pub(super) fn is_calling(&self, shard: usize) -> bool {
        self.waiting_events(shard) > 0
            || self.calls.iter().any(|call| call.shard == shard && call.life == self.shards[shard].life)
    }
}
