//! Answers of event handlers take effect.

use webpubsub_protocol::client::DownstreamMessage;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::event_handler::{CallFailure, Cookies, Reply, Subject, Taken};

use crate::error::Refusal;
use crate::event_queue::{CallId, CallUnderWay, NO_QUEUE, Owner, QueueKind, ReplyTarget, Waiting};
use crate::output::{Change, Output};
use crate::publish::Publish;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

impl Shard {
    /// A call has ended.
    pub(crate) fn called(&mut self, id: CallId, result: Result<Taken, CallFailure>, step: &mut Step) {
        let now = step.now;
        let Some(index) = self.events.calls.iter().position(|call| call.id == id) else { return };
        let CallUnderWay { kind, queue: at, template, url, .. } = self.events.calls.swap_remove(index);
        // What an MQTT client receives of an answer may say that the handler has failed.
        let failure = result.as_ref().map_or_else(|why| Some(*why), Taken::failure);
        if self.events.breakers.ended(now, &template, failure) {
            self.events.resume(None);
        }
        if at == NO_QUEUE {
            return self.take_admission(id, &url, result, step);
        }
        self.events.make_ready(at);
        let result = result.map(|taken| self.keep_context(at, &url, taken, step));
        self.counters.failed_calls += u64::from(failure.is_some());
        let Some(queue) = self.events.get_mut(at) else { return };
        let is_awaited = queue.awaits_first(kind);
        let Some(first) = queue.events_mut(kind).front_mut() else { return };
        first.is_under_way = false;
        let purpose = first.event.answer_use();
        if let (true, Some(why), Some(attempts)) = (is_awaited, failure, &mut first.attempts)
            && let Some(pause) = attempts.failed(now, &self.policy, why, purpose)
        {
            first.due = now.after(pause);
        } else {
            self.finish(at, kind, result.map_err(Some), step);
        }
    }

    /// Keeps the state and cookies that a handler sets, and returns what its answer has for the client.
    ///
    /// Source: docs/spec/cloudevents.md#requests.
    fn keep_context(&mut self, at: Slot, url: &str, taken: Taken, step: &mut Step) -> Reply {
        let Taken { reply, state, cookies: set, admission: _ } = taken;
        let now = step.now;
        let context = match self.events.get_mut(at).map(|queue| &mut queue.owner) {
            Some(Owner::Open(slot)) => match self.connections.get_mut(*slot) {
                Some(connection) => &mut connection.context,
                None => return reply,
            },
            Some(Owner::Closed(closed)) => &mut closed.context,
            None => return reply,
        };
        let mut cookies = Cookies::decode(&context.cookies);
        let mut is_changed = cookies.take(now, url, &set);
        if is_changed {
            context.cookies = cookies.encode();
        }
        if state.is_some() {
            is_changed |= context.state != state;
            context.state = state;
        }
        if is_changed {
            self.store_context(at, step);
        }
        reply
    }

    /// Writes how many events a connection has had, and the state and cookies that its handlers set.
    pub(super) fn store_context(&mut self, at: Slot, step: &mut Step) {
        let Some(queue) = self.events.get_mut(at) else { return };
        let Owner::Open(slot) = queue.owner else { return };
        let Some(context) = self.connections.get(slot).map(|connection| &connection.context) else { return };
        queue.stored = context.events;
        let (events, state, cookies) = (context.events, context.state.clone(), context.cookies.clone());
        step.store(Change::EventContext { slot, events, state, cookies });
    }

    /// Ends the first event of a kind, delivered or not. `Err(None)` is an event that no handler subscribes
    /// to, or whose operation was done before.
    pub(super) fn finish(
        &mut self,
        at: Slot,
        kind: QueueKind,
        result: Result<Reply, Option<CallFailure>>,
        step: &mut Step,
    ) {
        let Some(Waiting { event, reply_to, .. }) = self.events.remove(at, kind, 0) else { return };
        if let ReplyTarget::DurableEvent(row) = reply_to {
            step.store(Change::RemoveEvent { row });
        }
        let Some(queue) = self.events.get_mut(at) else { return };
        if let (Owner::Closed(closed), Ok(_), ReplyTarget::Ack(Some(id))) =
            (&mut queue.owner, &result, &reply_to)
            && !closed.acks.contains(*id)
        {
            closed.acks.insert(*id);
        }
        let Some(queue) = self.events.get(at) else { return };
        // An open breaker was logged when it opened, and a client that has left is no fault of a handler.
        if let Err(Some(failure)) = result
            && !matches!(failure, CallFailure::BreakerOpen | CallFailure::GivenUp)
            && let Some(Subject { connection, .. }) = self.subject(&queue.owner)
        {
            let event = event.name().to_owned();
            step.push(Output::EventFailed { connection, event, failure });
        }
        if let Owner::Open(slot) = queue.owner {
            self.answer_event(slot, reply_to, result.map_err(|_| Refusal::EventFailed), step);
        }
    }

    /// Answers a client's event: with the handler's answer, then the ack.
    ///
    /// Source: docs/spec/cloudevents.md#answers, docs/spec/cloudevents.md#failed-events.
    pub(super) fn answer_event(
        &mut self,
        slot: Slot,
        reply_to: ReplyTarget,
        result: Result<Reply, Refusal>,
        step: &mut Step,
    ) {
        if let ReplyTarget::Invocation(invocation_id) = reply_to {
            let result = result.map(|reply| reply.data).map_err(|refusal| refusal.to_ack_error());
            return self.send(slot, DownstreamMessage::InvokeResponse { invocation_id, result }, step);
        }
        if let ReplyTarget::Mqtt(request) = reply_to {
            return self.answer_request(slot, *request, result, step);
        }
        let has_receiver = matches!(reply_to, ReplyTarget::Ack(_) | ReplyTarget::Frame);
        let result = result.map(|Reply { data, metadata, .. }| {
            if let Some(data) = data.filter(|_| has_receiver) {
                let publish = Publish::by_server(data, metadata);
                self.send_data(slot, publish, step);
            }
        });
        match reply_to {
            ReplyTarget::Ack(Some(id)) => {
                let result = if self.is_used(slot, id) { Err(Refusal::Duplicate(id)) } else { result };
                self.acknowledge(slot, id, result, step);
            }
            ReplyTarget::Frame if result.is_err() => self.close(slot, CloseCause::EventFailed, step),
            ReplyTarget::Frame
            | ReplyTarget::Ack(None)
            | ReplyTarget::Invocation(_)
            | ReplyTarget::Mqtt(_)
            | ReplyTarget::DurableEvent(_)
            | ReplyTarget::None => {}
        }
    }
}
