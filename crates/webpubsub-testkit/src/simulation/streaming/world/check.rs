//! What holds once nothing goes wrong any more.

use super::{PATIENCE, World};
use crate::simulation::check::check;
use crate::simulation::streaming::client::Client;
use crate::simulation::streaming::seen::Fate;
use crate::simulation::words::GROUPS;

/// What a view may have of states that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// What [`Client::may_see_what_ended`] says.
    MayHaveEnded,
    /// Nothing.
    IsThere,
}

/// What a client knows of the states of a group.
struct View {
    /// Whose it is.
    client: usize,
    /// Connections with what they show, as `CONNECTION=TEXT`.
    states: Vec<String>,
    /// Whether it may have states that have ended.
    may_have_ended: bool,
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

    /// All who are subscribed to a group's states have the same view, and a true one, but for what has ended.
    pub(super) fn check_states(&self, group: usize, seen: Seen) {
        let view = |(number, client): (usize, &Client)| {
            client.connection.as_ref()?;
            let states = client.view(GROUPS[group])?;
            let may_have_ended = seen == Seen::MayHaveEnded && client.may_see_what_ended(GROUPS[group]);
            Some(View { client: number, states, may_have_ended })
        };
        let views: Vec<View> = self.clients.iter().enumerate().filter_map(view).collect();
        for View { client, states, may_have_ended } in &views {
            for state in states {
                let (connection, text) = state.split_once('=').unwrap_or_default();
                let member = self.member(connection);
                let has_ended = member.is_none_or(|member| member.may_show(group, ""));
                if *may_have_ended && has_ended {
                    continue;
                }
                check!(
                    member.is_some_and(|member| member.may_show(group, text)),
                    "client {client} sees {state} in group {group}, which is not so"
                );
                for other in &views {
                    check!(
                        other.states.contains(state),
                        "client {client} sees {state} in group {group}, and client {} sees {:?}",
                        other.client,
                        other.states
                    );
                }
            }
            for member in &self.clients {
                let Some(connection) = &member.connection else { continue };
                let is_seen =
                    states.iter().any(|state| state.split_once('=').is_some_and(|(id, _)| id == connection));
                check!(
                    is_seen || member.may_show(group, ""),
                    "client {client} does not see {connection} in group {group}: {states:?}"
                );
            }
        }
    }

    /// The client that has a connection.
    fn member(&self, connection: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.connection.as_deref() == Some(connection))
    }
}
