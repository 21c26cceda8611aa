//! The client as an application sees it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use webpubsub_client_core::NotSubscribed;
use webpubsub_protocol::client::GroupStateAction;
use webpubsub_protocol::name::{GroupName, NameError};

use crate::data::Data;
use crate::error::StartError;
use crate::group_state::{GroupStateRecord, entries};
use crate::group_streams::{GroupStreamOptions, GroupStreams};
use crate::handle::Handle;
use crate::operation::{InvokeEvent, JoinGroup, LeaveGroup, SendEvent, SendToGroup};
use crate::pending::Call;
use crate::state_operation::GroupStateOperation;
use crate::stream_writer::OpenGroupStream;
use crate::subscribers::{Events, GroupMessages};

/// A client of a Web PubSub hub. Clones are handles on one and the same client.
///
/// What a client is asked for goes on when the future is polled; a future that is dropped takes its
/// call back: an operation is not tried again, an invocation is cancelled, a start is given up. What
/// was sent already may have been done.
///
/// When the last clone is dropped, and no call is under way, the client stops by itself. Its streams
/// do not keep it alive.
///
/// On native targets the client is [`Send`] and [`Sync`]. Its futures need a tokio runtime with
/// networking and timers; the first one that is polled begins the client's task on it.
#[derive(Clone)]
pub struct WebPubSubClient {
    handle: Handle,
}

impl WebPubSubClient {
    pub(crate) const fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Connects. Done when the socket is open; [`Event::Connected`](crate::Event::Connected) follows.
    ///
    /// # Errors
    /// [`StartError`]; a first attempt that fails is not repeated.
    pub async fn start(&self) -> Result<(), StartError> {
        self.handle.call(Call::Start).await.unwrap_or(Err(StartError::Gone))
    }

    /// Disconnects, and gives up whatever is under way. Done when the socket is closed, or when the
    /// service has not closed it within five seconds.
    ///
    /// A future that was polled once and is dropped stops the client all the same.
    pub async fn stop(&self) {
        self.handle.stop().await;
    }

    /// Says that this is a good moment to look at the link: the network is back, the page is visible
    /// again, the machine woke up. A pause between attempts ends, and an open link has five seconds
    /// for a sign of life.
    pub fn wake(&self) {
        self.handle.wake();
    }

    /// Everything that happens to the client from this moment on.
    ///
    /// Where the application reads too slowly, the oldest go and
    /// [`Event::Lagged`](crate::Event::Lagged) stands for them; see
    /// [`Builder::queue`](crate::Builder::queue).
    pub fn events(&self) -> Events {
        self.handle.subscribers().events()
    }

    /// The messages published to one group from this moment on. Joining the group is a thing of its
    /// own.
    ///
    /// # Errors
    /// [`NameError`] for a name that is none of a group.
    pub fn group_messages(&self, group: &str) -> Result<GroupMessages, NameError> {
        Ok(self.handle.subscribers().group(GroupName::parse(group)?))
    }

    /// Joins a group. The client joins it again on later connections.
    pub fn join_group(&self, group: impl Into<String>) -> JoinGroup {
        JoinGroup::new(self.handle.clone(), group.into())
    }

    /// Leaves a group.
    pub fn leave_group(&self, group: impl Into<String>) -> LeaveGroup {
        LeaveGroup::new(self.handle.clone(), group.into())
    }

    /// Publishes to a group, which this client need not have joined.
    pub fn send_to_group(&self, group: impl Into<String>, data: impl Into<Data>) -> SendToGroup {
        SendToGroup::new(self.handle.clone(), group.into(), Ok(data.into()))
    }

    /// Publishes a value to a group, as JSON.
    pub fn send_to_group_json<T: Serialize + ?Sized>(
        &self,
        group: impl Into<String>,
        value: &T,
    ) -> SendToGroup {
        SendToGroup::new(self.handle.clone(), group.into(), Data::json(value))
    }

    /// Sends an event to the application's server.
    pub fn send_event(&self, event: impl Into<String>, data: impl Into<Data>) -> SendEvent {
        SendEvent::new(self.handle.clone(), event.into(), Ok(data.into()))
    }

    /// Sends an event to the application's server, with a value as JSON.
    pub fn send_event_json<T: Serialize + ?Sized>(&self, event: impl Into<String>, value: &T) -> SendEvent {
        SendEvent::new(self.handle.clone(), event.into(), Data::json(value))
    }

    /// Sends an event to the application's server and waits for its answer. One that fails is not
    /// tried again.
    pub fn invoke(&self, event: impl Into<String>, data: impl Into<Data>) -> InvokeEvent {
        InvokeEvent::new(self.handle.clone(), event.into(), Ok(data.into()))
    }

    /// The same with a value as JSON.
    pub fn invoke_json<T: Serialize + ?Sized>(&self, event: impl Into<String>, value: &T) -> InvokeEvent {
        InvokeEvent::new(self.handle.clone(), event.into(), Data::json(value))
    }

    /// Opens a stream to a group, which this client need not have joined. Done when the service has accepted
    /// it; one that fails is not tried again.
    ///
    /// ```no_run
    /// # async fn stream(client: webpubsub::WebPubSubClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let stream = client.open_group_stream("room").await?;
    /// for word in ["one", "two", "three"] {
    ///     stream.write(word).await?;
    /// }
    /// stream.end().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_group_stream(&self, group: impl Into<String>) -> OpenGroupStream {
        OpenGroupStream::new(self.handle.clone(), group.into())
    }

    /// The streams that begin to arrive from this moment on. Joining their groups is a thing of its own. Parts
    /// of streams are no [`Event::Message`](crate::Event::Message)s.
    ///
    /// ```no_run
    /// use futures_util::{StreamExt, TryStreamExt};
    /// use webpubsub::{GroupStreamOptions, WebPubSubClient};
    ///
    /// # async fn receive(client: WebPubSubClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut streams = client.group_streams(GroupStreamOptions::default().group("room"));
    /// client.join_group("room").await?;
    /// while let Some(stream) = streams.next().await {
    ///     let mut stream = stream?;
    ///     while let Some(piece) = stream.try_next().await? {
    ///         println!("{}: {:?}", stream.id(), piece.text());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_streams(&self, options: GroupStreamOptions) -> GroupStreams {
        GroupStreams::new(self.handle.inbox(), self.handle.subscribers().limits(), options)
    }

    /// Shows this to the subscribers of a group's states, in place of what was set before: strings by key, at
    /// most 256. The client has to be a member. An empty state is none.
    ///
    /// States last as long as the connection: on a new one they have to be set again.
    ///
    /// ```no_run
    /// # async fn set(client: webpubsub::WebPubSubClient) -> Result<(), Box<dyn std::error::Error>> {
    /// client.join_group("room").await?;
    /// client.set_group_state("room", [("status", "typing")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_group_state<K: Into<String>, V: Into<String>>(
        &self,
        group: impl Into<String>,
        state: impl IntoIterator<Item = (K, V)>,
    ) -> GroupStateOperation {
        GroupStateOperation::set(self.handle.clone(), group.into(), state)
    }

    /// Clears what this client shows in a group.
    pub fn clear_group_state(&self, group: impl Into<String>) -> GroupStateOperation {
        let none: [(String, String); 0] = [];
        self.set_group_state(group, none)
    }

    /// Subscribes to the states of a group's members. The client does so again on later connections.
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    /// use webpubsub::{Event, WebPubSubClient};
    ///
    /// # async fn watch(client: WebPubSubClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut events = client.events();
    /// client.subscribe_group_states("room").await?;
    /// while let Some(event) = events.next().await {
    ///     if let Event::GroupStatesChanged { group } = event {
    ///         for member in client.list_group_states(&group)? {
    ///             println!("{:?}: {:?}", member.user_id, member.state.get("status"));
    ///         }
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_group_states(&self, group: impl Into<String>) -> GroupStateOperation {
        GroupStateOperation::new(self.handle.clone(), group.into(), GroupStateAction::Subscribe)
    }

    /// Ends a subscription to the states of a group's members.
    pub fn unsubscribe_group_states(&self, group: impl Into<String>) -> GroupStateOperation {
        GroupStateOperation::new(self.handle.clone(), group.into(), GroupStateAction::Unsubscribe)
    }

    /// What this client last set in a group; `None` where it shows nothing there.
    #[must_use]
    pub fn group_state(&self, group: &str) -> Option<BTreeMap<String, String>> {
        self.handle.states().with(|states| states.own(group).map(entries))
    }

    /// What the members of a group show, this client among them, in the order of their connections' ids, as
    /// far as the service has said it.
    ///
    /// # Errors
    /// [`NotSubscribed`] unless the service has accepted a subscription.
    pub fn list_group_states(&self, group: &str) -> Result<Vec<GroupStateRecord>, NotSubscribed> {
        self.handle.states().with(|states| Ok(states.list(group)?.cloned().collect()))
    }
}

impl fmt::Debug for WebPubSubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebPubSubClient").finish_non_exhaustive()
    }
}
