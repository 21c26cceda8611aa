//! Calls of the application about the states of a group.

use std::borrow::Cow;
use std::fmt;

use webpubsub_client_core::Delivery;
use webpubsub_protocol::client::{GroupState, GroupStateAction};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::GroupName;

use crate::error::SendError;
use crate::group_state::StateRequest;
use crate::handle::Handle;
use crate::operation::{Receipt, operate};
use crate::pending::Operation;
use crate::platform::BoxFuture;

/// A call of [`WebPubSubClient::set_group_state`](crate::WebPubSubClient::set_group_state) or one of its
/// neighbours.
#[must_use = "nothing happens unless it is awaited"]
pub struct GroupStateOperation {
    handle: Handle,
    group: String,
    /// `None` for a state of too many entries.
    action: Option<GroupStateAction>,
    ack_id: Option<AckId>,
}

impl GroupStateOperation {
    pub(crate) fn set<K: Into<String>, V: Into<String>>(
        handle: Handle,
        group: String,
        state: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries =
            state.into_iter().map(|(key, value)| (Cow::Owned(key.into()), Cow::Owned(value.into())));
        let action = GroupState::parse(entries.collect()).map(GroupStateAction::Set);
        Self { handle, group, action, ack_id: None }
    }

    pub(crate) const fn new(handle: Handle, group: String, action: GroupStateAction) -> Self {
        Self { handle, group, action: Some(action), ack_id: None }
    }

    /// Uses this ack id for every try, in place of a number of the client's.
    pub const fn ack_id(mut self, ack_id: u64) -> Self {
        self.ack_id = Some(AckId(ack_id));
        self
    }
}

impl IntoFuture for GroupStateOperation {
    type Output = Result<Receipt, SendError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let group = GroupName::parse(self.group)?;
            let action = self.action.ok_or(SendError::GroupStateTooLarge)?;
            let delivery = Delivery::Acknowledged { ack_id: self.ack_id };
            let message = StateRequest { group, action };
            operate(&self.handle, Operation::Other { message, delivery }).await
        })
    }
}

impl fmt::Debug for GroupStateOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupStateOperation").finish_non_exhaustive()
    }
}
