//! Clients publish streams to groups.

use std::cmp::Ordering;
use std::mem;

use webpubsub_protocol::client::{
    AckError, DownstreamMessage, Echo, Origin, StreamAction, StreamAnswer, StreamError, StreamId,
};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::role::PermissionType;

use crate::connection::Connection;
use crate::error::Refusal;
use crate::output::Change;
use crate::publish::{Publish, Reach};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;
use crate::streams::Stream;

impl Shard {
    /// Carries out what a publisher does with a stream other than to start it.
    ///
    /// Source: docs/spec/client.md#streams.
    pub(crate) fn stream(&mut self, slot: Slot, id: StreamId, action: StreamAction, step: &mut Step) {
        let has_room = self.relay.has_room();
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let Some(stream) = connection.streams.as_mut().and_then(|streams| streams.get_mut(&id)) else {
            let error = error(StreamError::NOT_FOUND, "There is no stream with this id.");
            return self.answer(slot, id, StreamAnswer::Closed { error }, step);
        };
        if !connection.permissions.allows(PermissionType::SendToGroup, &stream.group) {
            let error = Refusal::SendForbidden(stream.group.clone()).to_ack_error();
            let end = Err(StreamError::of_service(AckError::FORBIDDEN));
            return self.end_stream(slot, &id, end, Some(error), step);
        }
        stream.active = step.now;
        let is_listed = mem::replace(&mut stream.is_changed, true);
        match action {
            StreamAction::Data { sequence_id, data } => match sequence_id.cmp(&stream.expected) {
                Ordering::Less => stream.owes_ack = true,
                Ordering::Equal if has_room => {
                    let (group, echo, part) = (stream.group.clone(), stream.echo, stream.part(None));
                    stream.expected += 1;
                    stream.owes_ack = true;
                    if !is_listed {
                        self.turns.streamed.push(slot);
                    }
                    let message = (data, Metadata::default(), None, Some(part));
                    return self.publish(slot, group, echo, message, step);
                }
                Ordering::Equal | Ordering::Greater => {
                    let (name, message) = match sequence_id == stream.expected {
                        true => (StreamAnswer::TRANSIENT_ERROR, "Too much waits for another shard."),
                        false => (StreamAnswer::INVALID_SEQUENCE_ID, "This is not the next fragment."),
                    };
                    let (name, message) = (name.into(), message.to_owned());
                    let answer = StreamAnswer::Nack { name, message, expected: stream.expected };
                    self.answer(slot, id, answer, step);
                }
            },
            StreamAction::KeepAlive | StreamAction::Start { .. } => {}
            StreamAction::End { error } => {
                return self.end_stream(slot, &id, error.map_or(Ok(()), Err), None, step);
            }
        }
        if !is_listed {
            self.turns.streamed.push(slot);
        }
    }

    /// Opens a stream, or says why not.
    pub(crate) fn start_stream(
        &mut self,
        slot: Slot,
        id: StreamId,
        action: StreamAction,
        step: &mut Step,
    ) -> Result<(), Refusal> {
        let StreamAction::Start { group, echo, idle_millis, .. } = action else { return Ok(()) };
        let opened = if self.allows(slot, PermissionType::SendToGroup, &group) {
            let Some(connection) = self.connections.get_mut(slot) else { return Ok(()) };
            let streams = connection.streams.get_or_insert_default();
            streams.start(step.now, id.clone(), group, echo, idle_millis).map(|stream| stream.change(slot))
        } else {
            Err(Refusal::SendForbidden(group))
        };
        let (answer, result) = match opened {
            Ok(change) => {
                self.store(slot, change, step);
                self.touch_streams(slot);
                self.watch_streams(slot);
                (StreamAnswer::Ack { expected: 1 }, Ok(()))
            }
            Err(refusal) => (StreamAnswer::Closed { error: Some(refusal.to_ack_error()) }, Err(refusal)),
        };
        self.answer(slot, id, answer, step);
        result
    }

    /// Closes a stream: its subscribers learn of its `end`, and its publisher of an `error` if it was not
    /// the publisher who closed it.
    fn end_stream(
        &mut self,
        slot: Slot,
        id: &StreamId,
        end: Result<(), StreamError>,
        error: Option<AckError>,
        step: &mut Step,
    ) {
        let streams = self.connections.get_mut(slot).and_then(|connection| connection.streams.as_mut());
        let Some(mut stream) = streams.and_then(|streams| streams.remove(id)) else { return };
        self.store(slot, stream.removal(slot), step);
        self.touch_streams(slot);
        if let Some(expected) = stream.take_ack() {
            self.answer(slot, id.clone(), StreamAnswer::Ack { expected }, step);
        }
        let part = stream.part(Some(end));
        let message = (MessageData::default(), Metadata::default(), None, Some(part));
        self.answer(slot, stream.id, StreamAnswer::Closed { error }, step);
        self.publish(slot, stream.group, stream.echo, message, step);
    }

    /// Takes the streams from a connection that has ended. Their subscribers learn of it with
    /// [`Shard::follow_streams`]: a subscriber that has no room for it ends, too.
    pub(crate) fn cancel_streams(&mut self, slot: Slot, connection: &mut Connection, step: &mut Step) {
        let Some(streams) = connection.streams.take() else { return };
        if let Some(due) = streams.watched {
            self.idle.remove(&(due, slot));
        }
        for stream in streams.open {
            step.store(stream.removal(slot));
            let part = stream.part(Some(Err(StreamError::of_service(StreamError::CANCELLED))));
            self.cancelled.push(Publish {
                from: Origin::Group { group: stream.group, from_user: connection.user.clone() },
                data: MessageData::default(),
                metadata: Metadata::default(),
                expires: None,
                stream: Some(part),
                mqtt: None,
            });
        }
    }

    /// Sends the acks that publishers are owed, keeps how far their streams have come, and has the
    /// subscribers of ended connections' streams learn of it.
    pub(crate) fn follow_streams(&mut self, step: &mut Step) {
        for slot in mem::take(&mut self.turns.streamed) {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let is_reliable = connection.buffer.is_some();
            let mut acks = Vec::new();
            for stream in connection.streams.iter_mut().flat_map(|streams| &mut streams.open) {
                if mem::take(&mut stream.is_changed) && is_reliable {
                    step.store(stream.change(slot));
                }
                acks.extend(stream.take_ack().map(|expected| (stream.id.clone(), expected)));
            }
            for (id, expected) in acks {
                self.answer(slot, id, StreamAnswer::Ack { expected }, step);
            }
            self.touch_streams(slot);
        }
        while let Some(publish) = self.cancelled.pop() {
            self.deliver_to_group(&publish, Reach::AllShards, step);
        }
    }

    /// Ends the streams that were idle for too long. Those of a detached connection have time until it is
    /// recovered.
    pub(crate) fn end_idle_streams(&mut self, step: &mut Step) {
        while let Some(&(due, slot)) = self.idle.as_slice().first()
            && due <= step.now
        {
            self.idle.remove(&(due, slot));
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let is_attached = connection.is_attached();
            let Some(streams) = connection.streams.as_mut() else { continue };
            streams.watched = None;
            if !is_attached {
                continue;
            }
            let idle = streams.open.iter().filter(|stream| stream.due() <= step.now);
            for id in idle.map(|stream| stream.id.clone()).collect::<Vec<_>>() {
                let end = Err(StreamError::of_service(StreamError::IDLE_TIMEOUT));
                let error = error(StreamError::IDLE_TIMEOUT, "The stream was idle for too long.");
                self.end_stream(slot, &id, end, error, step);
            }
            self.watch_streams(slot);
        }
    }

    /// Has the shard look for idle streams of a connection in time.
    pub(crate) fn watch_streams(&mut self, slot: Slot) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let is_attached = connection.is_attached();
        let Some(streams) = connection.streams.as_mut().filter(|_| is_attached) else { return };
        let Some(due) = streams.due() else { return };
        if streams.watched.is_some_and(|watched| watched <= due) {
            return;
        }
        if let Some(later) = streams.watched.replace(due) {
            self.idle.remove(&(later, slot));
        }
        self.idle.insert((due, slot));
    }

    /// Goes on with the streams of a connection that has a new socket. Their publisher waits for a
    /// `connected` message before it does.
    ///
    /// Source: docs/spec/client.md#streams, docs/spec/client.md#recovery.
    pub(crate) fn resume_streams(&mut self, slot: Slot, reconnection_token: String, step: &mut Step) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let Some(streams) = connection.streams.as_mut().filter(|streams| !streams.open.is_empty()) else {
            return;
        };
        streams.refresh(step.now);
        let connected = DownstreamMessage::Connected {
            connection_id: connection.id.clone(),
            user_id: connection.user.clone(),
            reconnection_token: Some(reconnection_token),
        };
        self.turns.streamed.push(slot);
        self.watch_streams(slot);
        self.send(slot, connected, step);
    }

    /// Has the socket carry how far the streams of a connection have come, unless they are on disk.
    fn touch_streams(&mut self, slot: Slot) {
        if self.connections.get(slot).is_some_and(|connection| connection.buffer.is_none()) {
            self.touch(slot);
        }
    }

    fn answer(&self, slot: Slot, stream_id: StreamId, answer: StreamAnswer, step: &mut Step) {
        self.send(slot, DownstreamMessage::Stream { stream_id, answer }, step);
    }
}

fn error(name: &'static str, message: &str) -> Option<AckError> {
    Some(AckError { name: name.into(), message: message.to_owned() })
}

impl Stream {
    /// Writes everything about it.
    fn change(&self, slot: Slot) -> Change {
        let stream = Writer::texts(&[
            self.id.as_str(),
            self.group.as_str(),
            if self.echo == Echo::Skip { "noEcho" } else { "" },
            &self.idle_millis.to_string(),
            &self.expected.to_string(),
            &self.active.as_millis().to_string(),
        ]);
        Change::PutStream { slot, number: self.number, stream }
    }

    /// Deletes what [`Stream::change`] wrote.
    const fn removal(&self, slot: Slot) -> Change {
        Change::RemoveStream { slot, number: self.number }
    }
}
