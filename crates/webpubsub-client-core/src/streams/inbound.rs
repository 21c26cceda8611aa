//! Streams that this client receives.

use std::mem;
use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use crate::sorted_map::SortedMap;

/// One listener to streams, numbered by the host; no number is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionId(pub u32);

/// One stream as one listener receives it, numbered here: 1, 2, 3, …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboundStreamId(pub u32);

/// What a listener wants of streams.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundOptions {
    /// How long each stream may be silent.
    pub idle_timeout: Duration,
    /// Whether streams whose beginning was missed are left out.
    pub from_start: bool,
    /// The groups to listen to; `None` for all.
    pub groups: Option<Vec<String>>,
}

impl Default for InboundOptions {
    fn default() -> Self {
        Self { idle_timeout: Duration::from_millis(300_000), from_start: false, groups: None }
    }
}

/// The streams that this client receives: one for each listener, group and stream id.
///
/// `M` is a message as the listener gets it, `E` what a stream's error is; none is looked into.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug)]
pub struct InboundStreams<M, E> {
    subscriptions: SortedMap<SubscriptionId, Subscription>,
    last_stream: u32,
    outputs: Vec<InboundOutput<M, E>>,
}

/// What a host gives to the streams that a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundInput<M, E> {
    /// The application listens.
    Subscribe {
        /// The listener.
        id: SubscriptionId,
        /// What it wants.
        options: InboundOptions,
    },
    /// The application no longer listens: the listener's streams end.
    Unsubscribe {
        /// The listener.
        id: SubscriptionId,
    },
    /// A group message that belongs to a stream.
    Fragment {
        /// The group.
        group: String,
        /// The stream.
        stream_id: String,
        /// The fragment's number: 1, 2, 3, …
        sequence_id: u64,
        /// How the stream ends with it, if it does: with an error, or well.
        end: Option<Option<E>>,
        /// What the listener gets; `None` for an end without a payload.
        message: Option<M>,
    },
    /// The listener did not take a stream that began: it is left out until it ends.
    Refused {
        /// The stream.
        stream: InboundStreamId,
    },
    /// The client has stopped: all streams end.
    Stopped,
    /// The moment that [`InboundStreams::next_timeout`] named has come.
    Timeout,
}

/// What the streams that a client receives ask of their host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundOutput<M, E> {
    /// A stream begins, for a listener.
    Began {
        /// The listener.
        subscription: SubscriptionId,
        /// What the stream is known by from here on.
        stream: InboundStreamId,
        /// Its group.
        group: String,
        /// Its id in the group.
        stream_id: String,
    },
    /// A fragment of a stream.
    Received {
        /// The stream.
        stream: InboundStreamId,
        /// What the listener gets.
        message: M,
    },
    /// A stream is over.
    Ended {
        /// The stream.
        stream: InboundStreamId,
        /// How.
        ending: StreamEnding<E>,
    },
}

/// How a stream ended for a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnding<E> {
    /// Its sender ended it, the listener no longer listens, or the client has stopped.
    Completed,
    /// With an error of the sender or the service.
    Failed(E),
    /// Nothing came for too long.
    IdleTimeout,
}

#[derive(Debug)]
struct Subscription {
    options: InboundOptions,
    /// By group and stream id.
    streams: SortedMap<(String, String), Inbound>,
}

#[derive(Debug)]
struct Inbound {
    /// `None` for a stream that is left out until it ends.
    stream: Option<InboundStreamId>,
    idle_at: Timestamp,
}

impl<M, E> Default for InboundStreams<M, E> {
    fn default() -> Self {
        Self { subscriptions: SortedMap::default(), last_stream: 0, outputs: Vec::new() }
    }
}

impl<M: Clone, E: Clone> InboundStreams<M, E> {
    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way that streams act"]
    pub fn handle(&mut self, now: Timestamp, input: InboundInput<M, E>) -> Vec<InboundOutput<M, E>> {
        match input {
            InboundInput::Subscribe { id, options } => {
                self.subscriptions.insert(id, Subscription { options, streams: SortedMap::default() });
            }
            InboundInput::Unsubscribe { id } => {
                let ended = self.subscriptions.remove(&id);
                self.complete(ended.map(|subscription| subscription.streams).unwrap_or_default());
            }
            InboundInput::Fragment { group, stream_id, sequence_id, end, message } => {
                self.fragment(now, &(group, stream_id), sequence_id, end.as_ref(), message.as_ref());
            }
            InboundInput::Refused { stream } => {
                let inbound = self.subscriptions.values_mut().flat_map(|one| one.streams.values_mut());
                for refused in inbound.filter(|inbound| inbound.stream == Some(stream)) {
                    refused.stream = None;
                }
            }
            InboundInput::Stopped => {
                for subscription in self.subscriptions.values_mut() {
                    let streams = mem::take(&mut subscription.streams);
                    let ended = streams.into_values().filter_map(|inbound| inbound.stream);
                    self.outputs.extend(ended.map(completed));
                }
            }
            InboundInput::Timeout => {
                for subscription in self.subscriptions.values_mut() {
                    let idle = subscription.streams.extract_if(|_, inbound| inbound.idle_at <= now);
                    self.outputs
                        .extend(idle.filter_map(|(_, inbound)| inbound.stream).map(|stream| {
                            InboundOutput::Ended { stream, ending: StreamEnding::IdleTimeout }
                        }));
                }
            }
        }
        mem::take(&mut self.outputs)
    }

    /// When [`InboundInput::Timeout`] is next due.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        let streams = self.subscriptions.values().flat_map(|subscription| subscription.streams.values());
        streams.map(|inbound| inbound.idle_at).min()
    }

    fn fragment(
        &mut self,
        now: Timestamp,
        key: &(String, String),
        sequence_id: u64,
        end: Option<&Option<E>>,
        message: Option<&M>,
    ) {
        for (subscription, Subscription { options, streams }) in self.subscriptions.iter_mut() {
            if options.groups.as_ref().is_some_and(|groups| !groups.contains(&key.0)) {
                continue;
            }
            let idle_at = now.after(options.idle_timeout);
            let known = streams.get_mut(key).map(|inbound| {
                inbound.idle_at = idle_at;
                inbound.stream
            });
            let stream = known.unwrap_or_else(|| {
                let is_wanted = !options.from_start || sequence_id == 1;
                let stream = is_wanted.then(|| {
                    self.last_stream = self.last_stream.wrapping_add(1);
                    let stream = InboundStreamId(self.last_stream);
                    let (group, stream_id) = key.clone();
                    let subscription = *subscription;
                    self.outputs.push(InboundOutput::Began { subscription, stream, group, stream_id });
                    stream
                });
                streams.insert(key.clone(), Inbound { stream, idle_at });
                stream
            });
            if let (Some(stream), Some(message)) = (stream, message) {
                self.outputs.push(InboundOutput::Received { stream, message: message.clone() });
            }
            if let Some(error) = end {
                streams.remove(key);
                let ending = error.clone().map_or(StreamEnding::Completed, StreamEnding::Failed);
                self.outputs.extend(stream.map(|stream| InboundOutput::Ended { stream, ending }));
            }
        }
    }

    fn complete(&mut self, streams: SortedMap<(String, String), Inbound>) {
        self.outputs.extend(streams.into_values().filter_map(|inbound| inbound.stream).map(completed));
    }
}

const fn completed<M, E>(stream: InboundStreamId) -> InboundOutput<M, E> {
    InboundOutput::Ended { stream, ending: StreamEnding::Completed }
}
