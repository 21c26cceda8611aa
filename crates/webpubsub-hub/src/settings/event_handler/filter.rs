//! Which events a handler is told.

use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::{EventName, GroupName};

use super::super::{SettingsError, members, wrong};

/// A set of system events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SystemEvents {
    /// `connect`.
    pub connect: bool,
    /// `connected`.
    pub connected: bool,
    /// `disconnected`.
    pub disconnected: bool,
}

/// Which changes of memberships a handler is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupPresence {
    /// `joined`.
    pub joined: bool,
    /// `left`.
    pub left: bool,
    /// The groups' names, or `*` for every group; empty for every group too.
    pub filters: Vec<String>,
}

/// Reads a `userEventPattern`: `*`, one name, or names with commas between; empty for none.
pub(super) fn user_events(value: Json<'_>) -> Result<String, SettingsError> {
    let Some(pattern) = value.text() else { return wrong("", "a string") };
    let is_name = |name: &str| EventName::parse(name).is_ok();
    if matches!(pattern.trim(), "" | "*") || names(&pattern).all(is_name) {
        Ok(pattern.into_owned())
    } else if pattern.contains(['*', '?']) {
        wrong("", "`*`, a name, or names with commas between: wildcards in names are not served")
    } else {
        wrong("", "`*`, a name, or names with commas between: a letter, then letters, digits and _.-")
    }
}

/// Whether a pattern has an event's name, in any case.
pub(super) fn has_user_event(pattern: &str, event: &str) -> bool {
    pattern.trim() == "*" || names(pattern).any(|name| name.eq_ignore_ascii_case(event))
}

fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split(',').map(str::trim)
}

/// Reads a list of names out of these, in any case: which of them it has.
fn read_names<const N: usize>(
    value: Json<'_>,
    known: [&str; N],
    expected: &'static str,
) -> Result<[bool; N], SettingsError> {
    let mut has = [false; N];
    let Some(names) = value.texts() else { return wrong("", expected) };
    for (at, name) in names.iter().enumerate() {
        match has.iter_mut().zip(known).find(|(_, known)| name.eq_ignore_ascii_case(known)) {
            Some((has, _)) => *has = true,
            None => return wrong(&at.to_string(), expected),
        }
    }
    Ok(has)
}

/// Writes what [`read_names`] reads.
fn write_names<const N: usize>(known: [&str; N], has: [bool; N]) -> String {
    let names: Vec<&str> = known.into_iter().zip(has).filter_map(|(name, has)| has.then_some(name)).collect();
    Writer::texts(&names)
}

impl SystemEvents {
    const NAMES: [&str; 3] = ["connect", "connected", "disconnected"];

    pub(super) fn read(value: Json<'_>) -> Result<Self, SettingsError> {
        let expected = "a list out of `connect`, `connected` and `disconnected`";
        let [connect, connected, disconnected] = read_names(value, Self::NAMES, expected)?;
        Ok(Self { connect, connected, disconnected })
    }

    pub(super) fn write(self) -> String {
        write_names(Self::NAMES, [self.connect, self.connected, self.disconnected])
    }
}

impl GroupPresence {
    const NAMES: [&str; 2] = ["joined", "left"];

    /// Whether it is about a group.
    pub(super) fn is_about(&self, group: &GroupName) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter == "*" || filter == group.as_str())
    }

    pub(super) fn read(value: Json<'_>) -> Result<Self, SettingsError> {
        let Some(given) = members(value) else { return wrong("", "an object") };
        let mut presence = Self::default();
        for (name, value) in &given {
            let read = match &**name {
                "eventNames" => read_names(*value, Self::NAMES, "a list out of `joined` and `left`")
                    .map(|[joined, left]| (presence.joined, presence.left) = (joined, left)),
                "groupFilters" => filters(*value).map(|filters| presence.filters = filters),
                _ => wrong("", "left out: it is no setting of group presence"),
            };
            read.map_err(|error| error.under(name))?;
        }
        Ok(presence)
    }

    pub(super) fn write(&self) -> String {
        let mut presence = Writer::object();
        presence.json("eventNames", &write_names(Self::NAMES, [self.joined, self.left]));
        presence.json("groupFilters", &Writer::texts(&self.filters));
        presence.finish()
    }
}

fn filters(value: Json<'_>) -> Result<Vec<String>, SettingsError> {
    let Some(filters) = value.texts() else { return wrong("", "a list of strings") };
    let is_filter = |filter: &str| filter == "*" || !filter.contains('*') && GroupName::parse(filter).is_ok();
    match filters.iter().position(|filter| !is_filter(filter)) {
        None => Ok(filters),
        Some(at) => wrong(&at.to_string(), "`*` or a group's name: wildcards in names are not served"),
    }
}
