//! Streams that this client sends.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use super::fragments::{Content, Fragments, Outside};
use super::message::{StreamEndError, StreamError, StreamMessage, StreamStart};
use crate::input::CommandId;

/// The pause before fragments that the service did not take are sent again. It doubles each time,
/// until the service takes one.
///
/// Source: docs/spec/sdk.md#streams.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest such pause.
///
/// Source: docs/spec/sdk.md#streams.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The word with which a stream is ended whose acks make no sense.
///
/// Source: docs/spec/sdk.md#streams.
const PROTOCOL_VIOLATION: &str = "ProtocolViolation";

/// The streams that this client sends, whatever their groups.
///
/// A stream belongs to a connection: it pauses while that is being recovered, and fails with it.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug)]
pub struct OutboundStreams<P> {
    link: Link,
    streams: BTreeMap<String, Outbound<P>>,
    outputs: Vec<OutboundOutput<P>>,
}

/// What a host gives to the streams that a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboundInput<P> {
    /// The application opens a stream; answered when the service has given its go-ahead.
    Open {
        /// The call.
        id: CommandId,
        /// How the stream begins.
        start: StreamStart,
    },
    /// The application sends a fragment; answered when it is on its way.
    Write {
        /// The call.
        id: CommandId,
        /// The stream.
        stream_id: String,
        /// The fragment's payload.
        data: P,
    },
    /// The application ends a stream; answered when that is on its way, after the data.
    End {
        /// The call.
        id: CommandId,
        /// The stream.
        stream_id: String,
        /// Why it ends early, if it does.
        error: Option<StreamEndError>,
    },
    /// The application is no longer interested in a write or an end.
    Abort {
        /// The call.
        id: CommandId,
    },
    /// The service's `streamAck`.
    Acknowledged {
        /// The stream.
        stream_id: String,
        /// The fragment that the service waits for.
        expected: u64,
    },
    /// The service's `streamNack`: it took nothing from this fragment on.
    NotTaken {
        /// The stream.
        stream_id: String,
        /// The fragment that the service waits for.
        expected: u64,
    },
    /// The service's `streamClosed`.
    Closed {
        /// The stream.
        stream_id: String,
        /// Why, as a name and a sentence, unless its sender had ended it.
        error: Option<(String, String)>,
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
    /// Send a message on the open socket. A socket that cannot take it is about to close.
    Send(StreamMessage<P>),
    /// The answer to a call.
    Settle {
        /// The call.
        id: CommandId,
        /// Whether it was done.
        result: Result<(), StreamError>,
    },
    /// A stream ended before its sender ended it.
    Failed {
        /// The stream.
        stream_id: String,
        /// Why.
        error: StreamError,
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
        Self { link: Link::None, streams: BTreeMap::new(), outputs: Vec::new() }
    }
}

impl<P: Clone> OutboundStreams<P> {
    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way that streams act"]
    pub fn handle(&mut self, now: Timestamp, input: OutboundInput<P>) -> Vec<OutboundOutput<P>> {
        match input {
            OutboundInput::Open { id, start } => self.open(id, start),
            OutboundInput::Write { id, stream_id, data } => self.push(id, stream_id, Content::Data(data)),
            OutboundInput::End { id, stream_id, error } => self.push(id, stream_id, Content::End(error)),
            OutboundInput::Abort { id } => {
                if self.streams.values_mut().any(|stream| stream.fragments.abort(id)) {
                    self.settle(id, Err(StreamError::Aborted));
                }
            }
            OutboundInput::Acknowledged { stream_id, expected } => self.acknowledged(&stream_id, expected),
            OutboundInput::NotTaken { stream_id, expected } => {
                self.acknowledged(&stream_id, expected);
                if let Some(stream) = self.streams.get_mut(&stream_id) {
                    stream.not_taken(now);
                }
            }
            OutboundInput::Closed { stream_id, error } => self.closed(&stream_id, error),
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
                    self.fail(stream_id, stream, &StreamError::ConnectionLost);
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

    fn open(&mut self, id: CommandId, start: StreamStart) {
        let stream_id = start.stream_id.clone();
        if self.streams.contains_key(&stream_id) {
            return self.settle(id, Err(StreamError::Exists { stream_id }));
        }
        if self.link != Link::Open {
            return self.settle(id, Err(StreamError::NotConnected));
        }
        self.outputs.push(OutboundOutput::Send(StreamMessage::Start(start)));
        let stream = Outbound {
            opening: Some(id),
            fragments: Fragments::new(),
            is_ended: false,
            resend: None,
            pause: FIRST_PAUSE,
        };
        self.streams.insert(stream_id, stream);
    }

    fn push(&mut self, id: CommandId, stream_id: String, content: Content<P>) {
        let Some(stream) = self.streams.get_mut(&stream_id).filter(|stream| !stream.is_ended) else {
            return self.settle(id, Err(StreamError::Completed { stream_id }));
        };
        match content {
            Content::Data(_) if stream.fragments.is_full() => {
                return self.settle(id, Err(StreamError::Full { stream_id }));
            }
            Content::Data(_) => {}
            Content::End(_) => stream.is_ended = true,
        }
        stream.fragments.push(content, id);
        stream.pump(self.link, &stream_id, &mut self.outputs);
    }

    fn acknowledged(&mut self, stream_id: &str, expected: u64) {
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
                let error = StreamError::ProtocolViolation { expected, oldest, newest };
                if let Some((stream_id, stream)) = self.streams.remove_entry(stream_id) {
                    self.fail(stream_id.clone(), stream, &error);
                    self.end_violated(stream_id, &error);
                }
            }
        }
    }

    /// Ends a stream, at the service too, whose acks make no sense.
    fn end_violated(&mut self, stream_id: String, error: &StreamError) {
        if self.link == Link::Open {
            let error = StreamEndError {
                message: Some(error.to_string()),
                user_error_code: Some(PROTOCOL_VIOLATION.to_owned()),
            };
            self.outputs.push(OutboundOutput::Send(StreamMessage::End { stream_id, error: Some(error) }));
        }
    }

    fn closed(&mut self, stream_id: &str, error: Option<(String, String)>) {
        let Some((stream_id, mut stream)) = self.streams.remove_entry(stream_id) else {
            return;
        };
        match error {
            Some((name, message)) => self.fail(stream_id, stream, &StreamError::Closed { name, message }),
            None => self.settle_all(&mut stream, &StreamError::Completed { stream_id }),
        }
    }

    /// Streams pause with their link. One without the service's go-ahead is given up: whether the
    /// service knows it is not known.
    fn recovering(&mut self) {
        self.link = Link::Recovering;
        let unaccepted = self.streams.extract_if(.., |_, stream| stream.opening.is_some());
        for (stream_id, mut stream) in unaccepted.collect::<Vec<_>>() {
            self.settle_all(&mut stream, &StreamError::NotStarted { stream_id });
        }
    }

    /// Whatever is not acknowledged is sent again, oldest first.
    fn recovered(&mut self) {
        self.link = Link::Open;
        for (stream_id, stream) in &mut self.streams {
            stream.resend = None;
            stream.fragments.rewind();
            stream.pump(self.link, stream_id, &mut self.outputs);
        }
    }

    fn fail(&mut self, stream_id: String, mut stream: Outbound<P>, error: &StreamError) {
        let is_known = stream.opening.is_none();
        if is_known {
            self.outputs.push(OutboundOutput::Failed { stream_id, error: error.clone() });
        }
        self.settle_all(&mut stream, error);
    }

    fn settle_all(&mut self, stream: &mut Outbound<P>, error: &StreamError) {
        for id in stream.opening.take().into_iter().chain(stream.fragments.take_calls()) {
            self.outputs.push(OutboundOutput::Settle { id, result: Err(error.clone()) });
        }
    }

    fn settle(&mut self, id: CommandId, result: Result<(), StreamError>) {
        self.outputs.push(OutboundOutput::Settle { id, result });
    }
}

impl<P: Clone> Outbound<P> {
    /// Sends what may be sent.
    fn pump(&mut self, link: Link, stream_id: &str, outputs: &mut Vec<OutboundOutput<P>>) {
        if link != Link::Open || self.opening.is_some() || self.resend.is_some() {
            return;
        }
        while let Some((sequence_id, content, call)) = self.fragments.take_next() {
            let stream_id = stream_id.to_owned();
            outputs.push(OutboundOutput::Send(match content {
                Content::Data(data) => StreamMessage::Data { stream_id, sequence_id, data },
                Content::End(error) => StreamMessage::End { stream_id, error },
            }));
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
