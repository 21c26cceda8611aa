//! An operator looks at connections and groups. Nothing is kept for that: it is read from memory when asked.

use webpubsub_protocol::name::{ConnectionId, GroupName};

use crate::connection::Connection;
use crate::listing::{ConnectionPage, ConnectionQuery, ConnectionView, MAX_LOOKED_AT};
use crate::shard::Shard;
use crate::slot::Slot;

impl Shard {
    /// Returns the connections that a query wants, by slot: from this slot on, and at most `limit`. Looks at
    /// [`MAX_LOOKED_AT`] at most, so a page with fewer than `limit` may have another after it.
    #[must_use]
    pub fn list_connections(&self, query: &ConnectionQuery, from: Slot, limit: usize) -> ConnectionPage<'_> {
        match (&query.group, &query.user) {
            (Some(group), _) => self.page(query, from, limit, self.connections.members(group)),
            (None, Some(user)) => self.page(query, from, limit, self.connections.connections_of(user)),
            (None, None) => {
                let all = (from.0..self.connections.end().0).map(Slot);
                self.page(query, from, limit, all)
            }
        }
    }

    fn page(
        &self,
        query: &ConnectionQuery,
        from: Slot,
        limit: usize,
        slots: impl Iterator<Item = Slot>,
    ) -> ConnectionPage<'_> {
        let mut page = ConnectionPage { connections: Vec::new(), next: None };
        for (looked_at, slot) in slots.skip_while(|slot| *slot < from).enumerate() {
            if looked_at >= MAX_LOOKED_AT || page.connections.len() >= limit {
                page.next = Some(slot);
                break;
            }
            let connection = self.connections.get(slot).filter(|connection| connection.is_wanted(query));
            page.connections.extend(connection.map(Connection::view));
        }
        page
    }

    /// Returns one connection, if it is here.
    #[must_use]
    pub fn view_connection(&self, id: &ConnectionId) -> Option<ConnectionView<'_>> {
        Some(self.connections.get(self.connections.find(id)?)?.view())
    }

    /// Returns the first groups after `after` that begin with `prefix`, by name, each with how many members it
    /// has here: at most `limit`. Looks at the name of every group once.
    #[must_use]
    pub fn list_groups(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(&GroupName, usize)> {
        let mut first: Vec<(&GroupName, usize)> = Vec::new();
        for (group, members) in self.connections.groups() {
            let name = group.as_str();
            let is_full = first.len() >= limit;
            if !name.starts_with(prefix)
                || after.is_some_and(|after| name <= after)
                || (is_full && first.last().is_none_or(|(last, _)| *last < group))
            {
                continue;
            }
            first.insert(first.partition_point(|(before, _)| *before < group), (group, members));
            first.truncate(limit);
        }
        first
    }
}

impl Connection {
    fn is_wanted(&self, ConnectionQuery { user, group, id_prefix, filter }: &ConnectionQuery) -> bool {
        user.as_ref().is_none_or(|user| self.user.as_ref() == Some(user))
            && group.as_ref().is_none_or(|group| self.groups.contains(group))
            && self.id.as_str().starts_with(id_prefix)
            && filter.as_ref().is_none_or(|filter| self.matches(filter))
    }

    fn view(&self) -> ConnectionView<'_> {
        let (send_to_group, join_leave_group) = self.permissions.view();
        ConnectionView {
            id: &self.id,
            user: self.user.as_ref(),
            subprotocol: self.subprotocol.name(),
            since: self.since,
            is_attached: self.is_attached(),
            groups: self.groups.as_slice(),
            unacknowledged: self.buffer.as_ref().map_or(0, |buffer| buffer.needed().count()),
            unacknowledged_bytes: self.buffer.as_ref().map_or(0, |buffer| buffer.bytes()),
            unread_bytes: self.backlog.bytes,
            waiting_frames: self.inbox.arrived.len(),
            streams: self.streams.as_ref().map_or(0, |streams| streams.len()),
            send_to_group,
            join_leave_group,
        }
    }
}
