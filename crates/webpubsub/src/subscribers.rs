//! Who reads a client's events: streams of all of them, and of the messages of one group.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use futures_util::Stream;
use webpubsub_protocol::name::GroupName;

use crate::event::Event;
use crate::message::Message;
use crate::queue::{Lagged, Queue, QueueLimits};

/// Everything that happens to a client from the moment that the stream was made; ends with the client.
///
/// It does not keep the client alive. What it keeps of unread events has its
/// [bounds](QueueLimits): past them stands [`Event::Lagged`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Events(Arc<Queue<Event>>);

/// The messages published to one group from the moment that the stream was made; ends with the client.
///
/// It does not keep the client alive. What it keeps of unread messages has its
/// [bounds](QueueLimits): past them stands [`Lagged`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct GroupMessages(Arc<Queue<Message>>);

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let lagged = |Lagged { missed }| Event::Lagged { missed };
        self.0.poll_next(context).map(|next| next.map(|next| next.unwrap_or_else(lagged)))
    }
}

impl Stream for GroupMessages {
    type Item = Result<Message, Lagged>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next(context)
    }
}

/// A client's streams, as long as someone reads them.
#[derive(Debug)]
pub(crate) struct Subscribers {
    limits: QueueLimits,
    streams: Mutex<Streams>,
}

#[derive(Debug, Default)]
struct Streams {
    is_closed: bool,
    all: Vec<Weak<Queue<Event>>>,
    groups: Vec<(GroupName, Weak<Queue<Message>>)>,
}

impl Subscribers {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { limits, streams: Mutex::default() }
    }

    /// The bounds of each stream.
    pub(crate) const fn limits(&self) -> QueueLimits {
        self.limits
    }

    pub(crate) fn events(&self) -> Events {
        let queue = Arc::new(Queue::new(self.limits));
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.all.push(Arc::downgrade(&queue));
        if streams.is_closed {
            queue.close();
        }
        Events(queue)
    }

    pub(crate) fn group(&self, group: GroupName) -> GroupMessages {
        let queue = Arc::new(Queue::new(self.limits));
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.groups.push((group, Arc::downgrade(&queue)));
        if streams.is_closed {
            queue.close();
        }
        GroupMessages(queue)
    }

    /// Adds an event to every stream that it concerns.
    pub(crate) fn publish(&self, event: &Event) {
        let (all, groups) = {
            let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
            streams.all.retain(|stream| stream.strong_count() > 0);
            streams.groups.retain(|(_, stream)| stream.strong_count() > 0);
            let all: Vec<_> = streams.all.iter().filter_map(Weak::upgrade).collect();
            let groups: Vec<_> = match event {
                Event::Message(message) => streams
                    .groups
                    .iter()
                    .filter(|(group, _)| Some(group.as_str()) == message.group())
                    .filter_map(|(_, stream)| Some((stream.upgrade()?, message)))
                    .collect(),
                Event::Connected { .. }
                | Event::Disconnected { .. }
                | Event::Stopped { .. }
                | Event::Recovering { .. }
                | Event::Recovered { .. }
                | Event::GroupStatesChanged { .. }
                | Event::RejoinGroupFailed { .. }
                | Event::Lagged { .. } => Vec::new(),
            };
            (all, groups)
        };
        for stream in all {
            stream.push(event.clone(), event.len());
        }
        for (stream, message) in groups {
            stream.push(message.clone(), message.len());
        }
    }

    /// Ends every stream.
    pub(crate) fn close(&self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.is_closed = true;
        for stream in streams.all.iter().filter_map(Weak::upgrade) {
            stream.close();
        }
        for stream in streams.groups.iter().filter_map(|(_, stream)| stream.upgrade()) {
            stream.close();
        }
    }
}
