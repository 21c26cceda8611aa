//! The groups to join again on a new connection.

use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{GroupName, UserId};

/// The groups that the application has joined through this session, in the order joined.
///
/// Groups that a token or the application's server assigned are unknown here, and need no help:
/// the service assigns them again.
///
/// Source: docs/spec/sdk.md#reconnecting.
#[derive(Debug, Default)]
pub(crate) struct JoinedGroups(Vec<GroupName>);

impl JoinedGroups {
    pub(crate) fn joined(&mut self, group: &GroupName) {
        if !self.0.contains(group) {
            self.0.push(group.clone());
        }
    }

    pub(crate) fn left(&mut self, group: &GroupName) {
        self.0.retain(|joined| joined != group);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &GroupName> {
        self.0.iter()
    }
}

/// How far a connection is from being announced to the application.
#[derive(Debug)]
pub(crate) enum Announcement {
    /// The service has not said `connected`.
    AwaitingConnected,
    /// Groups are being joined again, each under its ack id.
    Rejoining { user_id: Option<UserId>, outstanding: Vec<(AckId, GroupName)> },
    /// The application knows.
    Done,
}

impl Announcement {
    /// Takes the group that is being joined again under this ack id.
    pub(crate) fn acknowledged(&mut self, ack_id: AckId) -> Option<GroupName> {
        match self {
            Self::Rejoining { outstanding, .. } => {
                outstanding.extract_if(.., |(id, _)| *id == ack_id).next().map(|(_, group)| group)
            }
            Self::AwaitingConnected | Self::Done => None,
        }
    }
}
