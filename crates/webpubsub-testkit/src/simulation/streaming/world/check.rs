//! What holds once nothing goes wrong any more.

use super::{PATIENCE, World};
use crate::simulation::check::check;
use crate::simulation::streaming::seen::Fate;
use crate::simulation::words::GROUPS;

/// What a view may have of connections that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// What [`Client::may_see_what_ended`](crate::simulation::streaming::client::Client::may_see_what_ended) says.
    MayHaveEnded,
    /// Nothing.
    IsThere,
}

impl World {
    pub(super) fn check(&self) {
        for (number, client) in self.clients.iter().enumerate() {
            let open = client.receiving.values().find(|received| received.is_open());
            check!(open.is_none(), "client {number} waits for the end of {open:?}");
            check!(
                client.calls.is_empty(),
                "client {number} has calls that are not settled: {:?}",
                client.calls
            );
            check!(
                !client.started || client.connection.is_some(),
                "client {number} has no connection after {PATIENCE:?} of quiet"
            );
        }
        for sent in &self.streams {
            check!(
                matches!(sent.fate, Fate::Completed | Fate::Failed),
                "stream {} is still {:?}",
                sent.id,
                sent.fate
            );
            for (number, connections) in &sent.witnesses {
                let client = &self.clients[*number];
                // Only who has the same connection still has seen all of it.
                if client.connections != *connections || client.connection.is_none() {
                    continue;
                }
                match client.receiving.values().find(|received| received.id == sent.id) {
                    Some(received) if received.is_given_up() => {}
                    Some(received) => received.check(sent),
                    None => check!(
                        sent.fate == Fate::Failed || sent.end != Some(false),
                        "client {number} has not seen stream {}, which is {:?}",
                        sent.id,
                        sent.fate
                    ),
                }
            }
        }
        for group in 0..GROUPS.len() {
            self.check_states(group, Seen::MayHaveEnded);
        }
    }

    /// All who are subscribed to a group's states have the same view, and a true one.
    pub(super) fn check_states(&self, group: usize, seen: Seen) {
        let views = self.clients.iter().enumerate().filter(|(_, client)| client.connection.is_some());
        let views = views.filter_map(|(number, client)| Some((number, client.view(GROUPS[group])?)));
        let mut first = None;
        for (number, mut view) in views {
            if seen == Seen::MayHaveEnded && self.clients[number].may_see_what_ended(GROUPS[group]) {
                let connections = self.clients.iter().filter_map(|client| client.connection.as_deref());
                let connections: Vec<_> = connections.collect();
                view.retain(|shown| shown.split_once('=').is_some_and(|(id, _)| connections.contains(&id)));
            }
            for shown in &view {
                let (connection, text) = shown.split_once('=').unwrap_or_default();
                let member = self.clients.iter().find(|one| one.connection.as_deref() == Some(connection));
                check!(
                    member.is_some_and(|member| member.may_show(group, text)),
                    "client {number} sees {shown} in group {group}, which is not so"
                );
            }
            for member in &self.clients {
                let Some(connection) = &member.connection else { continue };
                let is_seen =
                    view.iter().any(|shown| shown.split_once('=').is_some_and(|(id, _)| id == connection));
                check!(
                    is_seen || member.may_show(group, ""),
                    "client {number} does not see {connection} in group {group}: {view:?}"
                );
            }
            let known = first.get_or_insert_with(|| view.clone());
            check!(*known == view, "in group {group} client {number} sees {view:?}, and another {known:?}");
        }
    }
}
