//! What a call of the REST API asks of the shards of a hub, and what a reply of theirs is to its caller.

use webpubsub_protocol::data::TimeToLive;
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::rest::{
    self, CloseOptions, GroupsRequest, HubOperation, MemberPage, Operation, Outcome, PageRequest, Refusal,
    Response, SendOptions, Subject,
};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_shard::{Command, Groups, Permission, Reply, Selection, Target};

use crate::shard_range::{Destination, ShardRange};

/// A request of the REST API as a shard receives it.
#[derive(Debug, PartialEq, Eq)]
pub struct TaskRequest<'a> {
    /// What the shard does.
    pub task: Box<Task>,
    /// The URL as the host received it from outside.
    pub url: RequestUrl<'a>,
    /// Of a part of a whole, the shards among which the whole is done; see [`ShardRange::address`].
    pub among: Option<ShardRange>,
}

/// When a task that goes to several shards has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// When one shard has.
    OfOne,
    /// When all shards have.
    OfAll,
}

/// An operation as its shards see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Which shards it goes to.
    pub destination: Destination,
    /// When it has succeeded, if it goes to several shards.
    pub success: Success,
    /// What each of them does.
    pub work: Work,
    /// The outcome of [`Reply::Done`].
    done: Outcome,
    /// The outcome of [`Reply::NotFound`], if it is another.
    not_found: Option<Outcome>,
    /// The outcome of [`Reply::Conflict`], if it is another.
    conflict: Option<Outcome>,
}

/// What a shard does, and what of it is still to be read from the request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Carry out this command.
    Command(Command),
    /// Deliver the message in the body.
    Deliver {
        /// The receivers.
        to: Selection,
        /// How long undelivered copies are worth keeping.
        ttl: TimeToLive,
    },
    /// Make connections of the hub members of the groups in the body.
    JoinMany,
    /// End memberships in the groups in the body.
    LeaveMany,
    /// List members, beginning where the continuation token says.
    List {
        /// The group.
        group: GroupName,
        /// Which page.
        page: PageRequest,
    },
}

impl Work {
    /// Whether a part of it is in the request's body.
    #[must_use]
    pub(crate) const fn needs_body(&self) -> bool {
        match self {
            Self::Deliver { .. } | Self::JoinMany | Self::LeaveMany => true,
            Self::Command(_) | Self::List { .. } => false,
        }
    }

    /// Makes the connections of the hub that a body picks members of its groups.
    pub(crate) fn join_many(GroupsRequest { groups, filter }: GroupsRequest) -> Command {
        Command::Join { to: Selection { filter, ..Selection::from(Target::All) }, groups }
    }

    /// Ends the memberships in a body's groups of the connections of the hub that it picks.
    pub(crate) fn leave_many(GroupsRequest { groups, filter }: GroupsRequest) -> Command {
        let to = Selection { filter, ..Selection::from(Target::All) };
        Command::Leave { to, groups: Groups::These(groups) }
    }
}

impl<'a> TaskRequest<'a> {
    /// Reads a request, whose caller the host has authorised.
    ///
    /// # Errors
    /// Why it is none that shards carry out.
    pub fn read(method: &str, url: RequestUrl<'a>) -> Result<Self, Refusal> {
        let (among, path) = match ShardRange::of_address(url.path) {
            Some((range, path)) => (Some(range), path),
            None => (None, url.path),
        };
        let url = RequestUrl { path, ..url };
        match Operation::parse(method, path, url.query)? {
            Operation::OfHub(_, operation) => Ok(Self { task: Box::new(Task::of(operation)), url, among }),
            Operation::Health | Operation::OpenApi | Operation::GenerateToken { .. } => {
                Err(Refusal::UnknownPath)
            }
        }
    }
}

impl Task {
    /// What the shards of a hub do for this operation.
    #[must_use]
    pub fn of(operation: HubOperation) -> Self {
        match operation {
            HubOperation::SendToAll(options) => Self::send(Target::All, options),
            HubOperation::SendToGroup { group, options } => Self::send(Target::Group(group), options),
            HubOperation::SendToUser { user, options } => Self::send(Target::User(user), options),
            HubOperation::SendToConnection { connection, options } => {
                Self::send(Target::Connection(connection), options)
            }
            HubOperation::CloseAll(options) => Self::close(Target::All, options),
            HubOperation::CloseGroup { group, options } => Self::close(Target::Group(group), options),
            HubOperation::CloseUser { user, options } => Self::close(Target::User(user), options),
            HubOperation::CloseConnection { connection, reason } => {
                let options = CloseOptions { excluded: Vec::new(), reason };
                Self::close(Target::Connection(connection), options)
            }
            HubOperation::ConnectionExists(connection) => {
                Self::exists(Target::Connection(connection), Subject::Connection)
            }
            HubOperation::GroupExists(group) => Self::exists(Target::Group(group), Subject::Group),
            HubOperation::UserExists(user) => Self::exists(Target::User(user), Subject::User),
            HubOperation::AddToGroups => {
                let conflict = Some(Outcome::TooManyGroups);
                Self { conflict, ..Self::everywhere(Work::JoinMany, Outcome::Added) }
            }
            HubOperation::RemoveFromGroups => Self::everywhere(Work::LeaveMany, Outcome::Added),
            HubOperation::AddConnectionToGroup { connection, group } => {
                let not_found = Outcome::NoConnectionToAdd(connection.clone());
                Self::join(Target::Connection(connection), group, not_found)
            }
            HubOperation::AddUserToGroup { user, group } => {
                let not_found = Outcome::NoUserToAdd(user.clone());
                Self::join(Target::User(user), group, not_found)
            }
            HubOperation::RemoveConnectionFromGroup { connection, group } => {
                Self::leave(Target::Connection(connection), Groups::These(vec![group]))
            }
            HubOperation::RemoveConnectionFromAllGroups(connection) => {
                Self::leave(Target::Connection(connection), Groups::All)
            }
            HubOperation::RemoveUserFromGroup { user, group } => {
                Self::leave(Target::User(user), Groups::These(vec![group]))
            }
            HubOperation::RemoveUserFromAllGroups(user) => Self::leave(Target::User(user), Groups::All),
            HubOperation::GrantPermission { permission: kind, connection, group } => {
                let not_found = Some(Outcome::NoConnectionToGrant(connection.clone()));
                let permission = Permission { connection, kind, group };
                Self { not_found, ..Self::permit(permission, Command::Grant, Outcome::Added) }
            }
            HubOperation::RevokePermission { permission: kind, connection, group } => {
                let permission = Permission { connection, kind, group };
                Self::permit(permission, Command::Revoke, Outcome::Removed)
            }
            HubOperation::CheckPermission { permission: kind, connection, group } => {
                let subject = Subject::Permission;
                let permission = Permission { connection, kind, group };
                let task = Self::permit(permission, Command::Allowed, Outcome::Exists(subject));
                Self { not_found: Some(Outcome::Missing(subject)), ..task }
            }
            HubOperation::ListMembers { group, page } => {
                Self::everywhere(Work::List { group, page }, Outcome::Accepted)
            }
        }
    }

    /// The answer to the caller out of a shard's reply, or out of that of several. Of members it has all, and
    /// no link to more.
    #[must_use]
    pub fn respond(&self, reply: Reply) -> Response {
        match reply {
            Reply::Members(members) => {
                rest::respond(&Outcome::Members(MemberPage { members, next_link: None }))
            }
            Reply::Done | Reply::NotFound | Reply::Conflict => rest::respond(self.outcome(&reply)),
        }
    }

    /// Whether a reply has the outcome of [`Reply::Done`]: that nothing was found is no failure of every task.
    #[must_use]
    pub fn is_done(&self, reply: &Reply) -> bool {
        match reply {
            Reply::Done => true,
            Reply::NotFound => self.not_found.is_none(),
            Reply::Conflict => self.conflict.is_none(),
            Reply::Members(_) => false,
        }
    }

    fn outcome(&self, reply: &Reply) -> &Outcome {
        let other = match reply {
            Reply::Done | Reply::Members(_) => None,
            Reply::NotFound => self.not_found.as_ref(),
            Reply::Conflict => self.conflict.as_ref(),
        };
        other.unwrap_or(&self.done)
    }

    /// A task whose outcome is the same whatever is found.
    fn everywhere(work: Work, done: Outcome) -> Self {
        Self {
            destination: Destination::AllShards,
            success: Success::OfAll,
            work,
            done,
            not_found: None,
            conflict: None,
        }
    }

    fn send(target: Target, SendOptions { excluded, filter, ttl }: SendOptions) -> Self {
        let destination = Destination::of(&target);
        let work = Work::Deliver { to: Selection { target, excluded, filter }, ttl };
        Self { destination, ..Self::everywhere(work, Outcome::Accepted) }
    }

    fn close(target: Target, CloseOptions { excluded, reason }: CloseOptions) -> Self {
        let destination = Destination::of(&target);
        let to = Selection { target, excluded, filter: None };
        Self {
            destination,
            ..Self::everywhere(Work::Command(Command::Close { to, reason }), Outcome::Removed)
        }
    }

    fn exists(target: Target, subject: Subject) -> Self {
        Self {
            destination: Destination::of(&target),
            success: Success::OfOne,
            not_found: Some(Outcome::Missing(subject)),
            ..Self::everywhere(Work::Command(Command::Exists(target)), Outcome::Exists(subject))
        }
    }

    fn join(target: Target, group: GroupName, not_found: Outcome) -> Self {
        let destination = Destination::of(&target);
        let work = Work::Command(Command::Join { to: target.into(), groups: vec![group] });
        Self {
            destination,
            success: Success::OfOne,
            not_found: Some(not_found),
            conflict: Some(Outcome::TooManyGroups),
            ..Self::everywhere(work, Outcome::Added)
        }
    }

    fn leave(target: Target, groups: Groups) -> Self {
        let destination = Destination::of(&target);
        let work = Work::Command(Command::Leave { to: target.into(), groups });
        Self { destination, ..Self::everywhere(work, Outcome::Removed) }
    }

    fn permit(permission: Permission, command: fn(Permission) -> Command, done: Outcome) -> Self {
        let connection = permission.connection.clone();
        Self {
            destination: Destination::OwnerOf(connection.clone()),
            conflict: Some(Outcome::TooManyPermissions(connection)),
            ..Self::everywhere(Work::Command(command(permission)), done)
        }
    }
}

#[cfg(test)]
mod tests;
