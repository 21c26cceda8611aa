//! Streams that arrive: each is read piece by piece.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use webpubsub_client_core::{InboundOptions, SubscriptionId};

use crate::error::GroupStreamError;
use crate::feed::{Reader, feed};
use crate::inbox::{Began, Control, Inbox, Listener};
use crate::message::Message;
use crate::queue::{Lagged, QueueLimits};

/// Which streams [`WebPubSubClient::group_streams`](crate::WebPubSubClient::group_streams) gives, and how
/// long each may be silent.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug, Clone, Default)]
#[must_use = "options do nothing by themselves"]
pub struct GroupStreamOptions(InboundOptions);

/// The streams that begin to arrive from the groups that this client is a member of.
///
/// It does not keep the client alive. What it keeps of streams that are not taken has its
/// [bounds](QueueLimits): past them stands [`Lagged`]. When it is dropped no further stream is given; those
/// that were taken go on. It ends with the client.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct GroupStreams {
    began: Reader<Began>,
    subscription: Arc<Subscription>,
}

/// A stream that arrives, piece by piece.
///
/// It ends with `None` where its sender ends it well or the client stops, and with an error otherwise. It does
/// not keep the client alive. What it keeps of unread pieces has its [bounds](QueueLimits): past them it
/// fails with [`GroupStreamError::Lagged`], behind what was kept.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct GroupStream {
    group: String,
    id: String,
    fragments: Reader<Result<Message, GroupStreamError>>,
    _subscription: Arc<Subscription>,
}

/// Has the client listen until all readers are gone.
#[derive(Debug)]
struct Subscription {
    inbox: Arc<Inbox>,
    id: SubscriptionId,
}

impl GroupStreamOptions {
    /// How long a stream may be silent before it fails; five minutes by default, 1 ms at least.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.0.idle_timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// Leaves out streams whose first piece was missed, until they end.
    pub const fn from_start(mut self) -> Self {
        self.0.from_start = true;
        self
    }

    /// Adds a group to listen to; without one all are.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.0.groups.get_or_insert_default().push(group.into());
        self
    }
}

impl GroupStreams {
    pub(crate) fn new(inbox: &Arc<Inbox>, limits: QueueLimits, options: GroupStreamOptions) -> Self {
        let (feed, began) = feed(limits);
        let id = SubscriptionId(inbox.next_number());
        inbox.listen(Listener { id, options: options.0, feed });
        let subscription = Arc::new(Subscription { inbox: inbox.clone(), id });
        Self { began, subscription }
    }
}

impl GroupStream {
    /// The group that it is published to.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// What its sender calls it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Stream for GroupStreams {
    type Item = Result<GroupStream, Lagged>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let subscription = &self.subscription;
        self.began.poll_next(context).map_ok(|Began { group, id, fragments }| GroupStream {
            group,
            id,
            fragments,
            _subscription: subscription.clone(),
        })
    }
}

impl Stream for GroupStream {
    type Item = Result<Message, GroupStreamError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let lagged = |Lagged { .. }| Err(GroupStreamError::Lagged);
        self.fragments.poll_next(context).map(|next| next.map(|next| next.unwrap_or_else(lagged)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.inbox.control(Control::Unlisten(self.id));
    }
}
