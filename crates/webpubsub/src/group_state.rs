//! What the members of groups show of themselves.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use webpubsub_client_core::GroupStates;
use webpubsub_protocol::client::{GroupState, GroupStateAction};
use webpubsub_protocol::name::GroupName;

/// What one member of a group shows, as far as this client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStateRecord {
    /// The member's connection.
    pub connection_id: String,
    /// Who it acts for; `None` for an anonymous user.
    pub user_id: Option<String>,
    /// What it shows: strings by key.
    pub state: BTreeMap<String, String>,
    /// When it last changed, in milliseconds since 1970, by the service's clock; it grows with every change
    /// of one connection.
    pub updated_at: u64,
}

/// What a client asks the service for about the states of a group.
#[derive(Debug, Clone)]
pub(crate) struct StateRequest {
    pub(crate) group: GroupName,
    pub(crate) action: GroupStateAction,
}

/// The states that a client's task keeps, for every handle to read.
#[derive(Debug, Default)]
pub(crate) struct KnownStates(Mutex<GroupStates<GroupStateRecord, GroupState>>);

impl KnownStates {
    pub(crate) fn with<T>(
        &self,
        use_them: impl FnOnce(&mut GroupStates<GroupStateRecord, GroupState>) -> T,
    ) -> T {
        use_them(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A state as the application sees it.
pub(crate) fn entries(state: &GroupState) -> BTreeMap<String, String> {
    state.iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}
