//! What is told, and when.

use std::time::Duration;

use webpubsub_protocol::event_handler::{CallFailure, Cookies, Event, EventRequest, Subject, validation};
use webpubsub_protocol::time::Timestamp;

use super::queue::{CallUnderWay, EventQueue, MAX_DURABLE_EVENTS, Owner, QueueKind, ReplyTarget, Waiting};
use super::retry_policy::Attempts;
use super::{Call, CallId, durable};
use crate::ack::AckCache;
use crate::command::Groups;
use crate::connection::Connection;
use crate::error::Refusal;
use crate::output::{Change, Output};
use crate::settings::{EventHandler, HubSettings};
use crate::shard::Shard;
use crate::slot::Slot;

/// The number of `connected`. `connect` has 0.
///
/// Source: `CloudEvents` spec, section 3.
const CONNECTED: u64 = 1;
/// The number of what comes after it.
pub(crate) const AFTER_CONNECTED: u64 = CONNECTED + 1;

/// How long an attempt at an event may take that nothing waits for any more, so that the event of a
/// client that leaves at once reaches the handler all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is to be done about the first event in a queue.
enum Next {
    /// Nothing, until something else has happened.
    Wait,
    /// Nothing before this time.
    Pause(Timestamp),
    /// It is not told. Without a reason there is nobody to tell, or no need.
    Drop(Option<CallFailure>),
    /// It is told.
    Call,
}

/// Whether an operation with the ack id of an event was done.
fn is_done(acks: &AckCache, reply_to: &ReplyTarget) -> bool {
    matches!(reply_to, ReplyTarget::Ack(Some(id)) if acks.contains(*id))
}

impl Shard {
    fn settings(&self) -> &HubSettings {
        self.events.settings.as_ref().unwrap_or(&self.policy.settings)
    }

    /// Whether anybody is told anything.
    pub(crate) fn has_event_handlers(&self) -> bool {
        !self.settings().event_handlers.is_empty()
    }

    fn handler_of(&self, event: &Event) -> Option<&EventHandler> {
        self.settings().handler_for(event).map(|(_, handler)| handler)
    }

    /// The hub's settings are these from here on.
    pub(crate) fn take_settings(&mut self, settings: Option<HubSettings>, outputs: &mut Vec<Output>) {
        if self.events.settings != settings {
            self.events.settings.clone_from(&settings);
            outputs.push(Output::Store(Change::Settings(settings)));
            // What waits may have somebody else to be told, or nobody.
            self.events.resume(None);
        }
    }

    /// What is told of a connection with everything that happens to it.
    pub(super) fn subject(&self, owner: &Owner) -> Option<Subject> {
        let (id, user, subprotocol, told) = match owner {
            Owner::Open(slot) => {
                let connection = self.connections.get(*slot)?;
                (&connection.id, &connection.user, connection.subprotocol, &connection.context)
            }
            Owner::Closed(closed) => (&closed.id, &closed.user, closed.subprotocol, &closed.context),
        };
        let subprotocol = told.custom_subprotocol.as_deref().or(subprotocol.name());
        Some(Subject {
            connection: id.clone(),
            user: user.clone(),
            subprotocol: subprotocol.map(str::to_owned),
            origin: told.origin.clone(),
            state: told.state.clone(),
            cookies: Cookies::decode(&told.cookies),
        })
    }

    /// Puts an event into the lane of its connection.
    fn queue_event(&mut self, slot: Slot, kind: QueueKind, waiting: Waiting) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let events = &mut self.events;
        let stored = connection.context.events;
        let queue = *connection.event_queue.get_or_insert_with(|| events.open(Owner::Open(slot), stored));
        if waiting.number != CONNECTED {
            connection.context.events += 1;
        }
        events.push(queue, kind, waiting);
    }

    /// Something has happened to a connection that its client does not wait for. If an event handler
    /// wants to be told, it is, even if this shard loses its memory before.
    ///
    /// Source: `CloudEvents` spec, section 5.
    pub(crate) fn notify(&mut self, slot: Slot, event: Event, outputs: &mut Vec<Output>) {
        if self.handler_of(&event).is_none() {
            return;
        }
        let Some(subject) = self.subject(&Owner::Open(slot)) else { return };
        let next = self.connections.get(slot).map_or(CONNECTED, |connection| connection.context.events);
        if self.events.durable_events >= MAX_DURABLE_EVENTS {
            let (connection, event, failure) =
                (subject.connection, event.name().to_owned(), CallFailure::TooMany);
            return outputs.push(Output::EventFailed { connection, event, failure });
        }
        let number = if matches!(event, Event::Connected) { CONNECTED } else { next };
        self.events.newest += 1;
        let (row, now) = (self.events.newest, self.events.now);
        let notice = durable::encode(&subject, &event, number, now);
        outputs.push(Output::Store(Change::AddEvent { row, event: notice }));
        self.queue_event(
            slot,
            QueueKind::Durable,
            Waiting::new(event, number, now, ReplyTarget::DurableEvent(row)),
        );
    }

    /// A connection ends: its memberships first, then the connection itself.
    pub(crate) fn notify_of_end(&mut self, slot: Slot, reason: &str, outputs: &mut Vec<Output>) {
        if self.has_event_handlers() {
            for group in self.memberships(slot, &Groups::All) {
                self.notify(slot, Event::Left { group }, outputs);
            }
            self.notify(slot, Event::Disconnected { reason: reason.to_owned() }, outputs);
        }
    }

    /// A connection has ended. What waits in its lane is told all the same, though of its client's
    /// events each only once, and without a wait for the answer.
    pub(crate) fn part(&mut self, connection: Connection, outputs: &mut Vec<Output>) {
        let Some(at) = connection.event_queue else { return };
        if let Some(queue) = self.events.get_mut(at) {
            queue.owner = Owner::Closed(Box::new(connection.into()));
            // It was tried, and nobody waits for another attempt.
            if queue.user_events.front().is_some_and(|first| first.attempts.is_some() && !first.is_under_way)
            {
                self.events.remove(at, QueueKind::User, 0);
            }
        }
        self.stop_waiting(at, outputs);
    }

    /// Ends the call that tells of the client's event in a lane, unless something waits for it.
    fn stop_waiting(&self, at: Slot, outputs: &mut Vec<Output>) {
        let is_awaited = self.events.get(at).is_none_or(|queue| queue.awaits_first(QueueKind::User));
        let mut calls = self.events.calls.iter();
        let call = calls.find(|call| call.queue == at && call.kind == QueueKind::User);
        if let (false, Some(call)) = (is_awaited, call) {
            let after = call.since.after(PATIENCE).since(self.events.now);
            outputs.push(Output::GiveUp { call: call.id, after });
        }
    }

    /// A client has sent an event.
    ///
    /// Source: `CloudEvents` spec, section 6.
    pub(crate) fn user_event(
        &mut self,
        slot: Slot,
        event: Event,
        reply_to: ReplyTarget,
        outputs: &mut Vec<Output>,
    ) {
        let Some(connection) = self.connections.get(slot) else { return };
        let queue = connection.event_queue.and_then(|at| self.events.get(at));
        let waiting = Waiting::new(event, connection.context.events, self.events.now, reply_to);
        let is_free = queue.is_none_or(|queue| queue.user_events.is_empty());
        let is_asked_already = matches!(waiting.reply_to, ReplyTarget::Invocation(_))
            && queue.is_some_and(|queue| {
                queue.user_events.iter().any(|other| other.reply_to == waiting.reply_to)
            });
        let result = if is_asked_already {
            Err(Refusal::InvocationPending)
        } else if self.handler_of(&waiting.event).is_none() || is_done(&connection.acks, &waiting.reply_to) {
            Err(Refusal::EventFailed)
        } else if !self.events.has_room(queue, &waiting)
            || is_free && self.left_alone_until(&waiting.event).is_some()
        {
            self.counters.failed_calls += 1;
            Err(Refusal::EventFailed)
        } else {
            return self.queue_event(slot, QueueKind::User, waiting);
        };
        self.conclude(slot, waiting.reply_to, result, outputs);
    }

    /// Nobody waits any more for the answer to an invocation. One that is not on its way is not told.
    ///
    /// Source: client spec, section 9.1.
    pub(crate) fn cancel_invocation(&mut self, slot: Slot, id: String, outputs: &mut Vec<Output>) {
        let Some(at) = self.connections.get(slot).and_then(|connection| connection.event_queue) else {
            return;
        };
        let Some(queue) = self.events.get_mut(at) else { return };
        let cancelled = ReplyTarget::Invocation(id);
        let found =
            queue.user_events.iter_mut().enumerate().find(|(_, waiting)| waiting.reply_to == cancelled);
        let Some((index, waiting)) = found else { return };
        if waiting.is_under_way {
            waiting.reply_to = ReplyTarget::None;
            self.stop_waiting(at, outputs);
        } else {
            self.events.remove(at, QueueKind::User, index);
        }
    }

    /// Tells what can be told, one connection after another.
    pub(crate) fn tell(&mut self, outputs: &mut Vec<Output>) {
        self.events.resume(Some(self.events.now));
        while let Some(at) = self.events.next() {
            self.look(at, outputs);
        }
        let end = Event::Disconnected { reason: String::new() };
        let is_watched = self.connections.len() > 0 && self.handler_of(&end).is_some();
        self.events.watch(is_watched);
    }

    /// Takes a lane's turn, which is one call at most.
    fn look(&mut self, at: Slot, outputs: &mut Vec<Output>) {
        if let Some(queue) = self.events.get_mut(at) {
            queue.is_ready = false;
        }
        for kind in [QueueKind::Durable, QueueKind::User] {
            loop {
                let Some(queue) = self.events.get(at) else { return };
                match self.next(queue, kind) {
                    Next::Wait => break,
                    Next::Pause(until) => {
                        self.events.pause(at, until);
                        break;
                    }
                    Next::Drop(failure) => self.finish(at, kind, Err(failure), outputs),
                    Next::Call => {
                        if self.call(at, kind, outputs).is_some() {
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

    /// What is to be done about the first event in a queue.
    fn next(&self, queue: &EventQueue, kind: QueueKind) -> Next {
        let now = self.events.now;
        let Some(first) = queue.events(kind).front().filter(|first| !first.is_under_way) else {
            return Next::Wait;
        };
        let acks = match &queue.owner {
            Owner::Open(slot) => self.connections.get(*slot).map(|connection| &connection.acks),
            Owner::Closed(closed) => Some(&closed.acks),
        };
        if acks.is_some_and(|acks| is_done(acks, &first.reply_to)) {
            return Next::Drop(None);
        }
        let is_early = match kind {
            QueueKind::Durable => {
                matches!(first.event, Event::Disconnected { .. }) && !queue.user_events.is_empty()
            }
            QueueKind::User => {
                let mut before = queue.durable_events.iter().take_while(|event| event.number < first.number);
                !before.all(|event| event.was_tried() || self.left_alone_until(&event.event).is_some())
            }
        };
        if is_early {
            return Next::Wait;
        }
        if self.handler_of(&first.event).is_none() {
            return Next::Drop(None);
        }
        match self.left_alone_until(&first.event) {
            Some(_) if kind == QueueKind::User => Next::Drop(Some(CallFailure::BreakerOpen)),
            Some(until) => Next::Pause(until),
            None if first.due > now => Next::Pause(first.due),
            None => Next::Call,
        }
    }

    /// Until when nobody is told of an event because its handler fails so often.
    fn left_alone_until(&self, event: &Event) -> Option<Timestamp> {
        self.events.breakers.open_until(self.events.now, self.handler_of(event)?.url.as_str())
    }

    /// Tells of the first event in a queue.
    fn call(&mut self, at: Slot, kind: QueueKind, outputs: &mut Vec<Output>) -> Option<()> {
        let now = self.events.now;
        let queue = self.events.get(at)?;
        let first = queue.events(kind).front()?;
        let (event, number) = (&first.event, first.number);
        let handler = self.handler_of(event)?;
        let subject = self.subject(&queue.owner)?;
        let hub = &self.policy.hub;
        let (template, url) = (handler.url.as_str().to_owned(), handler.url.resolve(hub, event.name()));
        // What a notice waits behind an open circuit breaker is not its attempts' time.
        let outlived = |attempts: &Attempts| kind == QueueKind::Durable && attempts.are_over(now);
        let attempts = first.attempts.filter(|attempts| !outlived(attempts));
        let attempts = attempts.unwrap_or_else(|| Attempts::new(now, &self.policy));
        let call = Call {
            id: CallId(self.events.last_call + 1),
            event: event.name().to_owned(),
            attempt: attempts.number(),
            barred: self.policy.barred(handler.url.as_str()),
            purpose: event.answer_use(),
            validate: handler.url.resolve(hub, validation::EVENT),
            auth: handler.auth.clone(),
            request: EventRequest::new(hub, &subject, event, number, first.time, &url),
            url: url.clone(),
            connection: subject.connection,
            origin: subject.origin,
            limit: attempts.limit(now, &self.policy),
            left: attempts.left(now),
        };
        if queue.stored <= number {
            self.store_told(at, outputs);
        }
        self.events.last_call += 1;
        self.events.breakers.allows(now, &template);
        let first = self.events.get_mut(at)?.events_mut(kind).front_mut()?;
        first.is_under_way = true;
        first.attempts = Some(attempts);
        self.events.calls.push(CallUnderWay { id: call.id, kind, queue: at, since: now, template, url });
        self.counters.calls += 1;
        outputs.push(Output::Call(Box::new(call)));
        if kind == QueueKind::User {
            self.stop_waiting(at, outputs);
        }
        Some(())
    }
}
