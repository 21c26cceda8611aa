//! Events are queued for event handlers.

use std::time::Duration;

use webpubsub_protocol::event_handler::{CallFailure, Cookies, Event, Subject};

use crate::command::Groups;
use crate::connection::Connection;
use crate::error::Refusal;
use crate::event_queue::{CONNECTED, MAX_DURABLE_EVENTS, Owner, QueueKind, ReplyTarget, Waiting, durable};
use crate::output::{Change, Output};
use crate::settings::{EventHandler, HubSettings};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// How long an attempt may take whose answer is not waited for, so that the event of a client that leaves
/// at once reaches the handler all the same.
const UNAWAITED_TIMEOUT: Duration = Duration::from_secs(1);

impl Shard {
    fn settings(&self) -> &HubSettings {
        self.events.settings.as_ref().unwrap_or(&self.policy.settings)
    }

    /// Whether the hub has event handlers.
    pub(crate) fn has_event_handlers(&self) -> bool {
        !self.settings().event_handlers.is_empty()
    }

    pub(super) fn handler_of(&self, event: &Event) -> Option<&EventHandler> {
        self.settings().handler_for(event).map(|(_, handler)| handler)
    }

    /// Takes the hub's settings, which replace those before.
    pub(crate) fn take_settings(&mut self, settings: Option<HubSettings>, step: &mut Step) {
        if self.events.settings != settings {
            self.events.settings.clone_from(&settings);
            step.store(Change::Settings(settings));
            self.keep_all_for_handlers(step);
            // What waits may have another handler, or none.
            self.events.resume(None);
        }
    }

    /// What every event of a connection carries.
    pub(super) fn subject(&self, owner: &Owner) -> Option<Subject> {
        let (id, user, subprotocol, context, mqtt) = match owner {
            Owner::Open(slot) => {
                let connection = self.connections.get(*slot)?;
                let Connection { id, user, subprotocol, context, .. } = connection;
                (id, user, *subprotocol, context, connection.physical())
            }
            Owner::Closed(closed) => {
                (&closed.id, &closed.user, closed.subprotocol, &closed.context, closed.mqtt.clone())
            }
        };
        let subprotocol = context.custom_subprotocol.as_deref().or(subprotocol.name());
        Some(Subject {
            connection: id.clone(),
            user: user.clone(),
            subprotocol: subprotocol.map(str::to_owned),
            origin: context.origin.clone(),
            state: context.state.clone(),
            cookies: Cookies::decode(&context.cookies),
            mqtt,
        })
    }

    /// Puts an event into the queue of its connection.
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

    /// Queues a durable event if a handler subscribes to it: it is delivered even if the shard loses its
    /// memory before.
    ///
    /// Source: docs/spec/cloudevents.md#notifications.
    pub(crate) fn notify(&mut self, slot: Slot, event: Event, step: &mut Step) {
        if self.handler_of(&event).is_none() {
            return;
        }
        let Some(subject) = self.subject(&Owner::Open(slot)) else { return };
        let next = self.connections.get(slot).map_or(CONNECTED, |connection| connection.context.events);
        if self.events.durable_events >= MAX_DURABLE_EVENTS {
            let (connection, event, failure) =
                (subject.connection, event.name().to_owned(), CallFailure::TooMany);
            return step.push(Output::EventFailed { connection, event, failure });
        }
        let number = if matches!(event, Event::Connected) { CONNECTED } else { next };
        self.events.newest += 1;
        let (row, now) = (self.events.newest, step.now);
        let text = durable::encode(&subject, &event, number, now);
        step.store(Change::AddEvent { row, event: text });
        self.queue_event(
            slot,
            QueueKind::Durable,
            Waiting::new(event, number, now, ReplyTarget::DurableEvent(row)),
        );
    }

    /// Queues the durable events of a connection's end: its memberships first, then `disconnected`.
    pub(crate) fn notify_of_end(&mut self, slot: Slot, reason: &str, step: &mut Step) {
        if self.has_event_handlers() {
            for group in self.memberships(slot, &Groups::All) {
                self.notify(slot, Event::Left { group }, step);
            }
            let end = self.session(slot).map(|session| Event::MqttDisconnected { body: session.end(reason) });
            let end = end.unwrap_or_else(|| Event::Disconnected { reason: reason.to_owned() });
            self.notify(slot, end, step);
        }
    }

    /// Leaves the queue of a connection that has ended. Its events are delivered all the same, but those of
    /// its client only once each, and without a wait for the answer.
    pub(crate) fn leave_event_queue(&mut self, connection: Connection, step: &mut Step) {
        let Some(at) = connection.event_queue else { return };
        if let Some(queue) = self.events.get_mut(at) {
            queue.owner = Owner::Closed(Box::new(connection.into()));
            // It was attempted, and no client waits for another attempt.
            if queue.user_events.front().is_some_and(|first| first.attempts.is_some() && !first.is_under_way)
            {
                self.events.remove(at, QueueKind::User, 0);
            }
        }
        self.stop_waiting(at, step);
    }

    /// Limits the call for a client's event, unless its answer is waited for.
    pub(super) fn stop_waiting(&self, at: Slot, step: &mut Step) {
        let is_awaited = self.events.get(at).is_none_or(|queue| queue.awaits_first(QueueKind::User));
        let mut calls = self.events.calls.iter();
        let call = calls.find(|call| call.queue == at && call.kind == QueueKind::User);
        if let (false, Some(call)) = (is_awaited, call) {
            let after = call.since.after(UNAWAITED_TIMEOUT).since(step.now);
            step.push(Output::GiveUp { call: call.id, after });
        }
    }

    /// Queues an event that a client sent, or refuses it.
    ///
    /// Source: docs/spec/cloudevents.md#user-events.
    pub(crate) fn user_event(&mut self, slot: Slot, event: Event, reply_to: ReplyTarget, step: &mut Step) {
        let Some(connection) = self.connections.get(slot) else { return };
        let queue = connection.event_queue.and_then(|at| self.events.get(at));
        let waiting = Waiting::new(event, connection.context.events, step.now, reply_to);
        let is_free = queue.is_none_or(|queue| queue.user_events.is_empty());
        let is_pending = matches!(waiting.reply_to, ReplyTarget::Invocation(_))
            && queue.is_some_and(|queue| {
                queue.user_events.iter().any(|other| other.reply_to == waiting.reply_to)
            });
        let result = if is_pending {
            Err(Refusal::InvocationPending)
        } else if self.handler_of(&waiting.event).is_none() || waiting.reply_to.is_done(&connection.acks) {
            Err(Refusal::EventFailed)
        } else if !self.events.has_room(queue, &waiting)
            || is_free && self.breaker_open_until(step.now, &waiting.event).is_some()
        {
            self.counters.failed_calls += 1;
            Err(Refusal::EventFailed)
        } else {
            return self.queue_event(slot, QueueKind::User, waiting);
        };
        self.answer_event(slot, waiting.reply_to, result, step);
    }

    /// Cancels an invocation, which is not delivered unless it is under way.
    ///
    /// Source: docs/spec/client.md#invocations.
    pub(crate) fn cancel_invocation(&mut self, slot: Slot, id: String, step: &mut Step) {
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
            self.stop_waiting(at, step);
        } else {
            self.events.remove(at, QueueKind::User, index);
        }
    }
}
