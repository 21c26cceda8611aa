//! The streams of a client: what the core asks for → frames, writers and readers.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use webpubsub_client_core::{
    CommandId, InboundInput, InboundOptions, InboundOutput, InboundStreamId, InboundStreams, OutboundError,
    OutboundInput, OutboundOutput, OutboundStreams, StreamEnding, SubscriptionId, earliest,
};
use webpubsub_protocol::client::{StreamError, StreamId, StreamPart, UpstreamMessage};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::time::Timestamp;

use crate::error::GroupStreamError;
use crate::feed::{Feed, feed};
use crate::inbox::Began;
use crate::message::Message;
use crate::pending::{OpenStream, Reply, StreamCall, Waiting};
use crate::queue::QueueLimits;

/// The streams of a client.
pub(super) struct Streams {
    outbound: OutboundStreams<MessageData>,
    inbound: InboundStreams<Message, StreamError>,
    limits: QueueLimits,
    /// Calls that wait to be sent, or for a go-ahead.
    calls: Waiting<(), OutboundError>,
    writers: BTreeMap<StreamId, Writer>,
    listeners: BTreeMap<SubscriptionId, Feed<Began>>,
    readers: BTreeMap<u32, Feed<Result<Message, GroupStreamError>>>,
}

/// A stream that is sent.
struct Writer {
    opened_by: CommandId,
    fate: Arc<OnceLock<OutboundError>>,
    /// Who waits for its end.
    end: Option<(CommandId, Reply<(), OutboundError>)>,
}

impl Streams {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            outbound: OutboundStreams::default(),
            inbound: InboundStreams::default(),
            limits,
            calls: Waiting::default(),
            writers: BTreeMap::new(),
            listeners: BTreeMap::new(),
            readers: BTreeMap::new(),
        }
    }

    /// When [`Streams::timeout`] is next due.
    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        earliest(self.outbound.next_timeout(), self.inbound.next_timeout())
    }

    /// What is to be sent once a moment has come.
    pub(super) fn timeout(&mut self, now: Timestamp) -> Vec<UpstreamMessage> {
        self.inbound(now, InboundInput::Timeout);
        self.outbound(now, OutboundInput::Timeout)
    }

    /// What is to be sent for a call of the application.
    pub(super) fn begin(
        &mut self,
        now: Timestamp,
        id: CommandId,
        call: StreamCall,
        reply: Reply<(), OutboundError>,
    ) -> Vec<UpstreamMessage> {
        let input = match call {
            StreamCall::Open(OpenStream { stream_id, group, echo, idle_millis, fate }) => {
                self.calls.add(id, reply);
                // The core refuses an id that is in use, and the one who has it keeps it.
                let writer = Writer { opened_by: id, fate, end: None };
                self.writers.entry(stream_id.clone()).or_insert(writer);
                OutboundInput::Open { id, stream_id, group, echo, idle_millis }
            }
            StreamCall::Write(stream_id, data) => {
                self.calls.add(id, reply);
                let len = data.len();
                OutboundInput::Write { id, stream_id, data: data.into_inner(), len }
            }
            StreamCall::End(stream_id, error) => {
                match self.writers.get_mut(&stream_id).filter(|writer| writer.end.is_none()) {
                    Some(writer) => writer.end = Some((id, reply)),
                    None => self.calls.add(id, reply),
                }
                OutboundInput::End { id, stream_id, error }
            }
        };
        self.outbound(now, input)
    }

    /// What is to be sent for a call that is of no interest any more; with the stream that it opened.
    pub(super) fn abort(&mut self, now: Timestamp, id: CommandId) -> Vec<UpstreamMessage> {
        let mut messages = self.outbound(now, OutboundInput::Abort { id });
        // Its go-ahead may have come while its caller went.
        let opened = self.writers.iter().find(|(_, writer)| writer.opened_by == id);
        if let Some(stream_id) = opened.map(|(stream_id, _)| stream_id.clone()) {
            messages.extend(self.end_dropped(now, id, stream_id));
        }
        messages
    }

    /// What is to be sent for a stream that has no writer any more.
    pub(super) fn end_dropped(
        &mut self,
        now: Timestamp,
        id: CommandId,
        stream_id: StreamId,
    ) -> Vec<UpstreamMessage> {
        let code = Some(OutboundError::ABORTED.to_owned());
        let error = Some(StreamError::of_user(None, code));
        self.outbound(now, OutboundInput::End { id, stream_id, error })
    }

    /// What is to be sent for something that happened to the link or at the service.
    pub(super) fn outbound(
        &mut self,
        now: Timestamp,
        input: OutboundInput<MessageData>,
    ) -> Vec<UpstreamMessage> {
        let mut messages = Vec::new();
        for output in self.outbound.handle(now, input) {
            match output {
                OutboundOutput::Send(message) => messages.push(message),
                OutboundOutput::Settle { id, result } => self.settle(id, result),
                OutboundOutput::Completed { stream_id } => {
                    if let Some(writer) = self.writers.remove(&stream_id) {
                        writer.finish(OutboundError::Completed { stream_id }, Ok(()));
                    }
                }
                OutboundOutput::Failed { stream_id, error } => {
                    if let Some(writer) = self.writers.remove(&stream_id) {
                        writer.finish(error.clone(), Err(error));
                    }
                }
            }
        }
        messages
    }

    fn settle(&mut self, id: CommandId, result: Result<(), OutboundError>) {
        if let Err(error) = &result {
            // A stream that never was, and an end that is none.
            self.writers.retain(|_, writer| writer.opened_by != id);
            for writer in self.writers.values_mut() {
                if let Some((_, reply)) = writer.end.take_if(|(end, _)| *end == id) {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
        self.calls.answer(id, result);
    }

    /// The application listens.
    pub(super) fn listen(
        &mut self,
        now: Timestamp,
        id: SubscriptionId,
        options: InboundOptions,
        feed: Feed<Began>,
    ) {
        self.listeners.insert(id, feed);
        self.inbound(now, InboundInput::Subscribe { id, options });
    }

    /// The application no longer listens, and reads none of what it received.
    pub(super) fn unlisten(&mut self, now: Timestamp, id: SubscriptionId) {
        self.inbound(now, InboundInput::Unsubscribe { id });
        self.listeners.remove(&id);
    }

    /// A piece of a stream has arrived.
    pub(super) fn fragment(&mut self, now: Timestamp, message: Message, part: StreamPart) {
        let is_empty = part.end.is_some() && message.data().is_empty();
        self.inbound(
            now,
            InboundInput::Fragment {
                group: message.group().unwrap_or_default().to_owned(),
                stream_id: part.stream_id.as_str().to_owned(),
                sequence_id: part.sequence_id,
                end: part.end.map(Result::err),
                message: (!is_empty).then_some(message),
            },
        );
    }

    /// The client has stopped.
    pub(super) fn stopped(&mut self, now: Timestamp) {
        self.inbound(now, InboundInput::Stopped);
    }

    fn inbound(&mut self, now: Timestamp, input: InboundInput<Message, StreamError>) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in self.inbound.handle(now, input) {
                if let Some(stream) = self.pass_on(output) {
                    inputs.push(InboundInput::Refused { stream });
                }
            }
        }
    }

    /// Passes something on to its reader; a stream that is not read any more.
    fn pass_on(&mut self, output: InboundOutput<Message, StreamError>) -> Option<InboundStreamId> {
        match output {
            InboundOutput::Began { subscription, stream, group, stream_id: id } => {
                let (feed, fragments) = feed(self.limits);
                let bytes = group.len().saturating_add(id.len());
                let listener = self.listeners.get(&subscription);
                if !listener.is_some_and(|one| one.push(Began { group, id, fragments }, bytes)) {
                    return Some(stream);
                }
                self.readers.insert(stream.0, feed);
            }
            InboundOutput::Received { stream, message } => {
                let reader = self.readers.get(&stream.0)?;
                let bytes = message.len();
                if !reader.try_push(Ok(message), bytes) {
                    if let Some(reader) = self.readers.remove(&stream.0) {
                        reader.finish(Err(GroupStreamError::Lagged));
                    }
                    return Some(stream);
                }
            }
            InboundOutput::Ended { stream, ending } => {
                let reader = self.readers.remove(&stream.0)?;
                match ending {
                    StreamEnding::Completed => drop(reader),
                    StreamEnding::Failed(error) => reader.finish(Err(GroupStreamError::Failed(error))),
                    StreamEnding::IdleTimeout => reader.finish(Err(GroupStreamError::IdleTimeout)),
                }
            }
        }
        None
    }
}

impl Writer {
    fn finish(self, fate: OutboundError, result: Result<(), OutboundError>) {
        let _ = self.fate.set(fate);
        if let Some((_, reply)) = self.end {
            let _ = reply.send(result);
        }
    }
}
