//! The client as an application sees it.

use std::fmt;

use serde::Serialize;
use webpubsub_protocol::name::{GroupName, NameError};

use crate::data::Data;
use crate::error::StartError;
use crate::handle::Handle;
use crate::operation::{InvokeEvent, JoinGroup, LeaveGroup, SendEvent, SendToGroup};
use crate::pending::Call;
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
}

impl fmt::Debug for WebPubSubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebPubSubClient").finish_non_exhaustive()
    }
}
