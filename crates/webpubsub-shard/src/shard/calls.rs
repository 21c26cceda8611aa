//! Event handlers are called, one event of a queue after another.

use webpubsub_protocol::event_handler::{CallFailure, Event, EventRequest, Subject, validation};
use webpubsub_protocol::time::Timestamp;

use crate::event_queue::{Attempts, Call, CallId, CallUnderWay, EventQueue, Owner, QueueKind};
use crate::output::Output;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// What is to be done about the first event of a kind.
enum Next {
    /// Nothing, until something else has happened.
    Wait,
    /// Nothing before this time.
    Pause(Timestamp),
    /// It is dropped: with a failure, or because no handler needs it.
    Drop(Option<CallFailure>),
    /// It is delivered.
    Call,
}

impl Shard {
    /// Delivers what can be delivered, one connection after another.
    pub(crate) fn deliver_events(&mut self, step: &mut Step) {
        self.events.resume(Some(step.now));
        self.ask_about_clients(step);
        while let Some(at) = self.events.next(self.config.sockets.most_calls()) {
            self.serve_queue(at, step);
        }
        let end = Event::Disconnected { reason: String::new() };
        let is_watched = self.connections.len() > 0 && self.handler_of(&end).is_some();
        self.events.watch(step.now, is_watched);
    }

    /// Takes the turn of a queue, which is one call at most.
    fn serve_queue(&mut self, at: Slot, step: &mut Step) {
        if let Some(queue) = self.events.get_mut(at) {
            queue.is_ready = false;
        }
        for kind in [QueueKind::Durable, QueueKind::User] {
            loop {
                let Some(queue) = self.events.get(at) else { return };
                match self.next(step.now, queue, kind) {
                    Next::Wait => break,
                    Next::Pause(until) => {
                        self.events.pause(at, until);
                        break;
                    }
                    Next::Drop(failure) => self.finish(at, kind, Err(failure), step),
                    Next::Call => {
                        if self.call(at, kind, step).is_some() {
                            self.events.make_ready(at);
                        }
                        return;
                    }
                }
            }
        }
        if self.events.get(at).is_some_and(EventQueue::is_over)
            && let Some(EventQueue { owner: Owner::Open(slot), .. }) = self.events.close(at)
            && let Some(connection) = self.connections.get_mut(slot)
        {
            connection.event_queue = None;
        }
    }

    /// What is to be done about the first event of a kind.
    fn next(&self, now: Timestamp, queue: &EventQueue, kind: QueueKind) -> Next {
        let Some(first) = queue.events(kind).front().filter(|first| !first.is_under_way) else {
            return Next::Wait;
        };
        let acks = match &queue.owner {
            Owner::Open(slot) => self.connections.get(*slot).map(|connection| &connection.acks),
            Owner::Closed(closed) => Some(&closed.acks),
        };
        if acks.is_some_and(|acks| first.reply_to.is_done(acks)) {
            return Next::Drop(None);
        }
        let is_early = match kind {
            QueueKind::Durable => {
                matches!(first.event, Event::Disconnected { .. } | Event::MqttDisconnected { .. })
                    && !queue.user_events.is_empty()
            }
            QueueKind::User => {
                let mut before = queue.durable_events.iter().take_while(|event| event.number < first.number);
                !before.all(|event| event.was_tried() || self.breaker_open_until(now, &event.event).is_some())
            }
        };
        if is_early {
            return Next::Wait;
        }
        if self.handler_of(&first.event).is_none() {
            return Next::Drop(None);
        }
        match self.breaker_open_until(now, &first.event) {
            Some(_) if kind == QueueKind::User => Next::Drop(Some(CallFailure::BreakerOpen)),
            Some(until) => Next::Pause(until),
            None if first.due > now => Next::Pause(first.due),
            None => Next::Call,
        }
    }

    /// Until when the circuit breaker of an event's handler is open.
    pub(super) fn breaker_open_until(&self, now: Timestamp, event: &Event) -> Option<Timestamp> {
        self.events.breakers.open_until(now, self.handler_of(event)?.url.as_str())
    }

    /// Calls the handler of the first event of a kind.
    fn call(&mut self, at: Slot, kind: QueueKind, step: &mut Step) -> Option<()> {
        let now = step.now;
        let queue = self.events.get(at)?;
        let first = queue.events(kind).front()?;
        let (event, number) = (&first.event, first.number);
        // The time that a durable event waits for a breaker does not count for its attempts.
        let outlived = |attempts: &Attempts| kind == QueueKind::Durable && attempts.are_over(now);
        let attempts = first.attempts.filter(|attempts| !outlived(attempts));
        let attempts = attempts.unwrap_or_else(|| Attempts::new(now, &self.policy));
        let subject = self.subject(&queue.owner)?;
        let (call, template) = self.call_of(now, (event, number, first.time), subject, &attempts)?;
        if queue.stored <= number {
            self.store_context(at, step);
        }
        let first = self.events.get_mut(at)?.events_mut(kind).front_mut()?;
        first.is_under_way = true;
        first.attempts = Some(attempts);
        self.begin_call(call, template, (kind, at), step);
        if kind == QueueKind::User {
            self.stop_waiting(at, step);
        }
        Some(())
    }

    /// The next call, of the handler of an event with its number and time, and the template of the handler's URL. `None`
    /// if no handler subscribes to the event.
    pub(super) fn call_of(
        &self,
        now: Timestamp,
        (event, number, time): (&Event, u64, Timestamp),
        subject: Subject,
        attempts: &Attempts,
    ) -> Option<(Call, String)> {
        let handler = self.handler_of(event)?;
        let (hub, template) = (&self.policy.hub, handler.url.as_str());
        let url = handler.url.resolve(hub, event.name());
        let call = Call {
            id: CallId(self.events.last_call + 1),
            event: event.name().to_owned(),
            attempt: attempts.number(),
            barred: self.policy.barred(template),
            purpose: event.answer_use(),
            validate: handler.url.resolve(hub, validation::EVENT),
            auth: handler.auth.clone(),
            request: EventRequest::new(hub, &subject, event, number, time, &url),
            url,
            connection: subject.connection,
            origin: subject.origin,
            limit: attempts.limit(now, &self.policy, event.answer_use()),
            left: attempts.left(now),
        };
        Some((call, template.to_owned()))
    }

    /// Makes a call that [`Shard::call_of`] has found, of an event of this kind in this queue.
    pub(super) fn begin_call(
        &mut self,
        call: Call,
        template: String,
        (kind, queue): (QueueKind, Slot),
        step: &mut Step,
    ) {
        let (now, id, url) = (step.now, call.id, call.url.clone());
        self.events.last_call = id.0;
        self.events.breakers.allows(now, &template);
        self.events.calls.push(CallUnderWay { id, kind, queue, since: now, template, url });
        self.counters.calls += 1;
        step.push(Output::Call(Box::new(call)));
    }
}
