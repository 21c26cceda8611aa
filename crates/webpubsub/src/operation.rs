//! Calls of the application that take options: each is a future once it is awaited.

use std::fmt;

use webpubsub_client_core::Delivery;
use webpubsub_protocol::client::Echo;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{EventName, GroupName};

use crate::data::{Data, DataError};
use crate::error::{InvokeError, SendError};
use crate::handle::Handle;
use crate::message::Answer;
use crate::pending::{Call, Operation};
use crate::platform::BoxFuture;

/// That an operation was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The ack id that it was done under; `None` for fire-and-forget.
    pub ack_id: Option<u64>,
    /// Whether the service had done it already, under the same ack id.
    pub is_duplicated: bool,
}

/// A call of [`WebPubSubClient::join_group`](crate::WebPubSubClient::join_group).
#[must_use = "nothing happens unless it is awaited"]
pub struct JoinGroup {
    handle: Handle,
    group: String,
    ack_id: Option<AckId>,
}

/// A call of [`WebPubSubClient::leave_group`](crate::WebPubSubClient::leave_group).
#[must_use = "nothing happens unless it is awaited"]
pub struct LeaveGroup {
    handle: Handle,
    group: String,
    ack_id: Option<AckId>,
}

/// A call of [`WebPubSubClient::send_to_group`](crate::WebPubSubClient::send_to_group).
#[must_use = "nothing happens unless it is awaited"]
pub struct SendToGroup {
    handle: Handle,
    group: String,
    data: Result<Data, DataError>,
    echo: Echo,
    delivery: Delivery,
}

/// A call of [`WebPubSubClient::send_event`](crate::WebPubSubClient::send_event).
#[must_use = "nothing happens unless it is awaited"]
pub struct SendEvent {
    handle: Handle,
    event: String,
    data: Result<Data, DataError>,
    delivery: Delivery,
}

/// A call of [`WebPubSubClient::invoke`](crate::WebPubSubClient::invoke).
#[must_use = "nothing happens unless it is awaited"]
pub struct InvokeEvent {
    handle: Handle,
    event: String,
    data: Result<Data, DataError>,
    invocation_id: Option<String>,
}

impl JoinGroup {
    pub(crate) const fn new(handle: Handle, group: String) -> Self {
        Self { handle, group, ack_id: None }
    }

    /// Uses this ack id for every try, in place of a number of the client's.
    pub const fn ack_id(mut self, ack_id: u64) -> Self {
        self.ack_id = Some(AckId(ack_id));
        self
    }
}

impl LeaveGroup {
    pub(crate) const fn new(handle: Handle, group: String) -> Self {
        Self { handle, group, ack_id: None }
    }

    /// Uses this ack id for every try, in place of a number of the client's.
    pub const fn ack_id(mut self, ack_id: u64) -> Self {
        self.ack_id = Some(AckId(ack_id));
        self
    }
}

impl SendToGroup {
    pub(crate) const fn new(handle: Handle, group: String, data: Result<Data, DataError>) -> Self {
        let delivery = Delivery::Acknowledged { ack_id: None };
        Self { handle, group, data, echo: Echo::Send, delivery }
    }

    /// Leaves this connection out of those that receive the message.
    pub const fn no_echo(mut self) -> Self {
        self.echo = Echo::Skip;
        self
    }

    /// Is done when the client has queued the message for its socket; no ack is asked for.
    pub const fn fire_and_forget(mut self) -> Self {
        self.delivery = Delivery::FireAndForget;
        self
    }

    /// Uses this ack id for every try, so that the service does it at most once. Takes
    /// [`fire_and_forget`](Self::fire_and_forget) back.
    pub const fn ack_id(mut self, ack_id: u64) -> Self {
        self.delivery = Delivery::Acknowledged { ack_id: Some(AckId(ack_id)) };
        self
    }
}

impl SendEvent {
    pub(crate) const fn new(handle: Handle, event: String, data: Result<Data, DataError>) -> Self {
        Self { handle, event, data, delivery: Delivery::Acknowledged { ack_id: None } }
    }

    /// Is done when the client has queued the event for its socket; no ack is asked for.
    pub const fn fire_and_forget(mut self) -> Self {
        self.delivery = Delivery::FireAndForget;
        self
    }

    /// Uses this ack id for every try, so that the service does it at most once. Takes
    /// [`fire_and_forget`](Self::fire_and_forget) back.
    pub const fn ack_id(mut self, ack_id: u64) -> Self {
        self.delivery = Delivery::Acknowledged { ack_id: Some(AckId(ack_id)) };
        self
    }
}

impl InvokeEvent {
    pub(crate) const fn new(handle: Handle, event: String, data: Result<Data, DataError>) -> Self {
        Self { handle, event, data, invocation_id: None }
    }

    /// Uses this id, in place of a number of the client's.
    pub fn invocation_id(mut self, id: impl Into<String>) -> Self {
        self.invocation_id = Some(id.into());
        self
    }
}

impl IntoFuture for JoinGroup {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let group = GroupName::parse(self.group)?;
            operate(&self.handle, Operation::JoinGroup { group, ack_id: self.ack_id }).await
        })
    }
}

impl IntoFuture for LeaveGroup {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let group = GroupName::parse(self.group)?;
            operate(&self.handle, Operation::LeaveGroup { group, ack_id: self.ack_id }).await
        })
    }
}

impl IntoFuture for SendToGroup {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let group = GroupName::parse(self.group)?;
            let data = self.data?.into_inner();
            let (echo, delivery) = (self.echo, self.delivery);
            operate(&self.handle, Operation::SendToGroup { group, data, echo, delivery }).await
        })
    }
}

impl IntoFuture for SendEvent {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let event = EventName::parse(self.event)?;
            let data = self.data?.into_inner();
            operate(&self.handle, Operation::SendEvent { event, data, delivery: self.delivery }).await
        })
    }
}

impl IntoFuture for InvokeEvent {
    type Output = Result<Answer, InvokeError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let event = EventName::parse(self.event)?;
            let data = self.data?.into_inner();
            let id = self.invocation_id;
            if id.as_ref().is_some_and(String::is_empty) {
                return Err(InvokeError::EmptyId);
            }
            let call = |reply| Call::Invoke { id, event, data, reply };
            self.handle.call(call).await.unwrap_or(Err(InvokeError::Gone))
        })
    }
}

pub(crate) async fn operate(handle: &Handle, operation: Operation) -> Result<Receipt, SendError> {
    let done = handle.call(|reply| Call::Operate(operation, reply)).await.unwrap_or(Err(SendError::Gone))?;
    Ok(Receipt { ack_id: done.ack_id.map(|id| id.0), is_duplicated: done.is_duplicated })
}

macro_rules! opaque {
    ($($name:ident),*) => {$(
        /// Payloads are the application's, and are not shown.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque!(JoinGroup, LeaveGroup, SendToGroup, SendEvent, InvokeEvent);
