//! Streams that this client sends.

use std::mem;
use std::time::Duration;

use webpubsub_protocol::client::{
    AckError, Echo, StreamAction, StreamAnswer, StreamError, StreamId, UpstreamMessage,
};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::time::Timestamp;

use super::error::OutboundError;
use super::fragments::{Content, Fragments, Outside};
use crate::input::CommandId;
use crate::sorted_map::SortedMap;

/// The pause before fragments that the service did not take are sent again. It doubles each time,
/// until the service takes one.
///
/// Source: docs/spec/sdk.md#streams.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest such pause.
///
/// Source: docs/spec/sdk.md#streams.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The streams that this client sends, whatever their groups.
///
/// A stream belongs to a connection: it pauses while that is being recovered, and fails with it.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug)]
pub struct OutboundStreams<P> {
    link: Link,
    streams: SortedMap<StreamId, Outbound<P>>,
    outputs: Vec<OutboundOutput<P>>,
}

/// What a host gives to the streams that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboundInput<P> {
    /// The application opens a stream; answered when the service has given its go-ahead.
    Open {
        /// The call.
        id: CommandId,
        /// What the stream is known by: no other that the client has open has this id.
        stream_id: StreamId,
        /// Where it goes.
        group: GroupName,
        /// Whether this connection, if it is a member, receives it too.
        echo: Echo,
        /// For how many milliseconds it may be silent; `None` leaves that to the service.
        idle_millis: Option<u32>,
    },
    /// The application sends a fragment; answered when it is on its way.
    Write {
        /// The call.
        id: CommandId,
        /// The stream.
        stream_id: StreamId,
        /// The fragment's payload.
        data: P,
        /// Its bytes in memory; 0 where the host does not know them.
        len: usize,
    },
    /// The application ends a stream; answered when that is on its way, after the data. Without an error it
    /// waits until the service has taken all of the data.
    End {
        /// The call.
        id: CommandId,
        /// The stream.
        stream_id: StreamId,
        /// Why it ends early, if it does.
        error: Option<StreamError>,
    },
    /// The application is no longer interested in a call. A fragment that was not sent never is; a stream that
    /// waits for its go-ahead is ended.
    Abort {
        /// The call.
        id: CommandId,
    },
    /// What the service says of a stream.
    Answered {
        /// The stream.
        stream_id: StreamId,
        /// What it says.
        answer: StreamAnswer,
    },
    /// A socket is open. Ignored while a connection is being recovered: that ends with
    /// [`OutboundInput::Recovered`].
    LinkOpened,
    /// The link is lost, and the connection is being recovered.
    Recovering,
    /// The connection goes on over another socket.
    Recovered,
    /// The connection is lost for good.
    ConnectionLost,
    /// The moment that [`OutboundStreams::next_timeout`] named has come.
    Timeout,
}

/// What the streams that a client sends ask of their host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboundOutput<P> {
    /// Send a message, an [`UpstreamMessage::Stream`], on the open socket. A socket that cannot take
    /// it is about to close.
    Send(UpstreamMessage<P>),
    /// The answer to a call.
    Settle {
        /// The call.
        id: CommandId,
        /// Whether it was done.
        result: Result<(), OutboundError>,
    },
    /// A stream is over: the service has taken its end.
    Completed {
        /// The stream.
        stream_id: StreamId,
    },
    /// A stream ended before its sender ended it.
    Failed {
        /// The stream.
        stream_id: StreamId,
        /// Why.
        error: OutboundError,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    None,
    Open,
    Recovering,
}

#[derive(Debug)]
struct Outbound<P> {
    /// Who waits for the go-ahead; `None` once it is there.
    opening: Option<CommandId>,
    fragments: Fragments<P>,
    /// Whether its end is in the queue, or was.
    is_ended: bool,
    /// When to send again what the service did not take.
    resend: Option<Timestamp>,
    pause: Duration,
}

impl<P: Clone> Default for OutboundStreams<P> {
    fn default() -> Self {
        Self { link: Link::None, streams: SortedMap::default(), outputs: Vec::new() }
    }
}

impl<P: Clone> OutboundStreams<P> {
    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way that streams act"]
    pub fn handle(&mut self, now: Timestamp, input: OutboundInput<P>) -> Vec<OutboundOutput<P>> {
        match input {
            OutboundInput::Open { id, stream_id, group, echo, idle_millis } => {
                let start = StreamAction::Start { group, ack_id: None, echo, idle_millis };
                self.open(id, stream_id, start);
            }
            OutboundInput::Write { id, stream_id, data, len } => {
                self.push(id, stream_id, Content::Data(data), len);
            }
            OutboundInput::End { id, stream_id, error } => self.push(id, stream_id, Content::End(error), 0),
            OutboundInput::Abort { id } => self.abort(id),
            OutboundInput::Answered { stream_id, answer } => self.answered(now, &stream_id, answer),
            OutboundInput::LinkOpened => {
                if self.link == Link::None {
                    self.link = Link::Open;
                }
            }
            OutboundInput::Recovering => self.recovering(),
            OutboundInput::Recovered => self.recovered(),
            OutboundInput::ConnectionLost => {
                self.link = Link::None;
                for (stream_id, stream) in mem::take(&mut self.streams) {
                    self.fail(stream_id, stream, &OutboundError::ConnectionLost);
                }
            }
            OutboundInput::Timeout => {
                let due = |stream: &Outbound<P>| stream.resend.is_some_and(|at| at <= now);
                for (stream_id, stream) in self.streams.iter_mut().filter(|(_, stream)| due(stream)) {
                    stream.resend = None;
                    stream.fragments.rewind();
                    stream.pump(self.link, stream_id, &mut self.outputs);
                }
            }
        }
        mem::take(&mut self.outputs)
    }

    /// When [`OutboundInput::Timeout`] is next due.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.streams.values().filter_map(|stream| stream.resend).min()
    }

    fn open(&mut self, id: CommandId, stream_id: StreamId, start: StreamAction<P>) {
        if self.streams.contains_key(&stream_id) {
            return self.settle(id, Err(OutboundError::Exists { stream_id }));
        }
        if self.link != Link::Open {
            return self.settle(id, Err(OutboundError::NotConnected));
        }
        self.send(stream_id.clone(), start);
        let stream = Outbound {
            opening: Some(id),
            fragments: Fragments::new(),
            is_ended: false,
            resend: None,
            pause: FIRST_PAUSE,
        };
        self.streams.insert(stream_id, stream);
    }

    fn push(&mut self, id: CommandId, stream_id: StreamId, content: Content<P>, len: usize) {
        let Some(stream) = self.streams.get_mut(&stream_id).filter(|stream| !stream.is_ended) else {
            return self.settle(id, Err(OutboundError::Completed { stream_id }));
        };
        match content {
            Content::Data(_) if stream.fragments.is_full() => {
                return self.settle(id, Err(OutboundError::Full { stream_id }));
            }
            Content::Data(_) => {}
            Content::End(_) => stream.is_ended = true,
        }
        stream.fragments.push(content, len, id);
        stream.pump(self.link, &stream_id, &mut self.outputs);
    }

    fn abort(&mut self, id: CommandId) {
        let opening = self.streams.extract_if(|_, stream| stream.opening == Some(id)).next();
        if let Some((stream_id, mut stream)) = opening {
            self.settle_all(&mut stream, &OutboundError::Aborted);
            let error = Some(StreamError::of_user(None, Some(OutboundError::ABORTED.to_owned())));
            self.send(stream_id, StreamAction::End { error });
        } else if self.streams.values_mut().any(|stream| stream.fragments.abort(id)) {
            self.settle(id, Err(OutboundError::Aborted));
        }
    }

    fn answered(&mut self, now: Timestamp, stream_id: &StreamId, answer: StreamAnswer) {
        match answer {
            StreamAnswer::Ack { expected } => self.acknowledged(stream_id, expected),
            StreamAnswer::Nack { expected, .. } => {
                self.acknowledged(stream_id, expected);
                if let Some(stream) = self.streams.get_mut(stream_id) {
                    stream.not_taken(now);
                }
            }
            StreamAnswer::Closed { error } => self.closed(stream_id, error),
        }
    }

    fn acknowledged(&mut self, stream_id: &StreamId, expected: u64) {
        let Some(stream) = self.streams.get_mut(stream_id) else {
            return;
        };
        match stream.fragments.acknowledged(expected) {
            Ok(is_progress) => {
                if is_progress {
                    stream.pause = FIRST_PAUSE;
                }
                if let Some(id) = stream.opening.take() {
                    self.outputs.push(OutboundOutput::Settle { id, result: Ok(()) });
                }
                stream.pump(self.link, stream_id, &mut self.outputs);
            }
            Err(Outside { oldest, newest }) => {
                let error = OutboundError::ProtocolViolation { expected, oldest, newest };
                if let Some((stream_id, stream)) = self.streams.remove_entry(stream_id) {
                    self.fail(stream_id.clone(), stream, &error);
                    self.end_violated(stream_id, &error);
                }
            }
        }
    }

    /// Ends a stream, at the service too, whose acks make no sense.
    fn end_violated(&mut self, stream_id: StreamId, error: &OutboundError) {
        if self.link == Link::Open {
            let code = Some(OutboundError::PROTOCOL_VIOLATION.to_owned());
            let error = Some(StreamError::of_user(Some(error.to_string()), code));
            self.send(stream_id, StreamAction::End { error });
        }
    }

    fn closed(&mut self, stream_id: &StreamId, error: Option<AckError>) {
        let Some((stream_id, mut stream)) = self.streams.remove_entry(stream_id) else {
            return;
        };
        match error {
            Some(error) => self.fail(stream_id, stream, &OutboundError::Closed(error)),
            None => {
                let is_known = stream.opening.is_none();
                self.settle_all(&mut stream, &OutboundError::Completed { stream_id: stream_id.clone() });
                if is_known {
                    self.outputs.push(OutboundOutput::Completed { stream_id });
                }
            }
        }
    }

    /// Streams pause with their link. One without the service's go-ahead is given up: whether the
    /// service knows it is not known.
    fn recovering(&mut self) {
        self.link = Link::Recovering;
        let unaccepted = self.streams.extract_if(|_, stream| stream.opening.is_some());
        for (stream_id, mut stream) in unaccepted.collect::<Vec<_>>() {
            self.settle_all(&mut stream, &OutboundError::NotStarted { stream_id });
        }
    }

    /// Whatever is not acknowledged is sent again, oldest first. Where nothing is, a keep-alive asks after the
    /// stream: that the service has ended it may have been lost with the link.
    ///
    /// Source: docs/spec/sdk.md#streams.
    fn recovered(&mut self) {
        self.link = Link::Open;
        for (stream_id, stream) in self.streams.iter_mut() {
            stream.resend = None;
            stream.fragments.rewind();
            let before = self.outputs.len();
            stream.pump(self.link, stream_id, &mut self.outputs);
            if self.outputs.len() == before {
                let (stream_id, action) = (stream_id.clone(), StreamAction::KeepAlive);
                self.outputs.push(OutboundOutput::Send(UpstreamMessage::Stream { stream_id, action }));
            }
        }
    }

    fn fail(&mut self, stream_id: StreamId, mut stream: Outbound<P>, error: &OutboundError) {
        let is_known = stream.opening.is_none();
        if is_known {
            self.outputs.push(OutboundOutput::Failed { stream_id, error: error.clone() });
        }
        self.settle_all(&mut stream, error);
    }

    fn settle_all(&mut self, stream: &mut Outbound<P>, error: &OutboundError) {
        for id in stream.opening.take().into_iter().chain(stream.fragments.take_calls()) {
            self.outputs.push(OutboundOutput::Settle { id, result: Err(error.clone()) });
        }
    }

    fn send(&mut self, stream_id: StreamId, action: StreamAction<P>) {
        self.outputs.push(OutboundOutput::Send(UpstreamMessage::Stream { stream_id, action }));
    }

    fn settle(&mut self, id: CommandId, result: Result<(), OutboundError>) {
        self.outputs.push(OutboundOutput::Settle { id, result });
    }
}

impl<P: Clone> Outbound<P> {
    /// Sends what may be sent.
    fn pump(&mut self, link: Link, stream_id: &StreamId, outputs: &mut Vec<OutboundOutput<P>>) {
        if link != Link::Open || self.opening.is_some() || self.resend.is_some() {
            return;
        }
        while let Some((sequence_id, content, call)) = self.fragments.take_next() {
            let stream_id = stream_id.clone();
            let action = match content {
                Content::Data(data) => StreamAction::Data { sequence_id, data },
                Content::End(error) => StreamAction::End { error },
            };
            outputs.push(OutboundOutput::Send(UpstreamMessage::Stream { stream_id, action }));
            if let Some(id) = call {
                outputs.push(OutboundOutput::Settle { id, result: Ok(()) });
            }
        }
    }

    /// Has what the service did not take be sent again, after a pause.
    fn not_taken(&mut self, now: Timestamp) {
        if self.opening.is_none() && self.resend.is_none() {
            self.resend = Some(now.after(self.pause));
            self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}
