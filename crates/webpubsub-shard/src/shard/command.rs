//! What servers ask is carried out on the connections of this shard.

use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::rest::{FirstMembers, Member};

use crate::command::{Command, Permission, Reply};
use crate::connection::Connection;
use crate::error::TooManyPermissions;
use crate::output::Change;
use crate::permission::Verdict;
use crate::publish::{Publish, Reach};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

impl Shard {
    /// Whether a command waits until what has arrived by now is taken in, since it may lead to a write that its
    /// reply has to wait for: what all such commands write then is one commit.
    #[must_use]
    pub const fn shares_commit(&self, command: &Command) -> bool {
        match command {
            Command::Exists(_) | Command::Allowed(_) | Command::Members { .. } => false,
            Command::Send { .. }
            | Command::Close { .. }
            | Command::Join { .. }
            | Command::Leave { .. }
            | Command::Grant(_)
            | Command::Revoke(_) => self.connections.has_reliable() || self.mqtt.sessions > 0,
        }
    }

    /// Carries out a server's request.
    pub(crate) fn command(&mut self, command: Command, step: &mut Step) -> Reply {
        if self.trace.is_on() {
            self.record_command(step.now, &command);
        }
        match command {
            Command::Send { to, data, metadata, ttl } => {
                let slots = to.slots(&self.connections);
                let (from, expires) = (to.target.origin(), ttl.end(step.now));
                let publish = Publish { from, data, metadata, expires, stream: None, mqtt: None };
                self.fan_out(&slots, &publish, Reach::ThisShard, step);
                Reply::Done
            }
            Command::Close { to, reason } => {
                let message = closed_by_server(reason.as_deref());
                for slot in to.slots(&self.connections) {
                    self.close_by_server(slot, &message, step);
                }
                Reply::Done
            }
            Command::Join { to, groups } => {
                let slots = to.slots(&self.connections);
                if !slots.iter().all(|slot| self.has_room_for(*slot, &groups)) {
                    return Reply::Conflict;
                }
                for slot in &slots {
                    for group in &groups {
                        self.join(*slot, group, step);
                    }
                }
                Reply::found(!slots.is_empty())
            }
            Command::Leave { to, groups } => {
                for slot in to.slots(&self.connections) {
                    for group in self.memberships(slot, &groups) {
                        self.leave(slot, &group, step);
                    }
                }
                Reply::Done
            }
            Command::Exists(target) => Reply::found(target.is_here(&self.connections)),
            Command::Grant(permission) => match self.connections.find(&permission.connection) {
                Some(slot) => self.permit(slot, permission, Verdict::Allow, step),
                None => Reply::NotFound,
            },
            Command::Revoke(permission) => match self.connections.find(&permission.connection) {
                Some(slot) => self.permit(slot, permission, Verdict::Deny, step),
                None => Reply::Done,
            },
            Command::Allowed(Permission { connection, kind, group }) => {
                let slot = self.connections.find(&connection);
                Reply::found(slot.is_some_and(|slot| self.allows(slot, kind, &group)))
            }
            Command::Members { group, after, limit } => {
                Reply::Members(self.members(&group, after.as_ref(), limit))
            }
        }
    }

    fn permit(
        &mut self,
        slot: Slot,
        Permission { kind, group, .. }: Permission,
        verdict: Verdict,
        step: &mut Step,
    ) -> Reply {
        let Some(connection) = self.connections.get_mut(slot) else { return Reply::NotFound };
        match connection.permissions.set(kind, &group, verdict) {
            Ok(literal) => {
                self.store(slot, Change::Permit { slot, kind, group, literal }, step);
                Reply::Done
            }
            Err(TooManyPermissions) => Reply::Conflict,
        }
    }

    fn members(&self, group: &GroupName, after: Option<&ConnectionId>, limit: usize) -> Vec<Member> {
        let mut first = FirstMembers::of(limit);
        for slot in self.connections.members(group) {
            let Some(Connection { id, user, .. }) = self.connections.get(slot) else { continue };
            if after.is_none_or(|after| id > after) && first.would_take(id) {
                first.take(Member { connection: id.clone(), user: user.clone() });
            }
        }
        first.into_members()
    }
}

/// The message in `disconnected` for a connection that a server ends.
///
/// Source: docs/spec/client.md#close-codes.
fn closed_by_server(reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("Application server closed the connection. Reason: {reason}"),
        None => "Application server closed the connection.".to_owned(),
    }
}
