//! Which events a handler is told.

use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::{EventName, GroupName};

use super::super::{SettingsError, object, wrong};

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
    let pattern = value.text().ok_or_else(|| wrong("", "a string"))?;
    let is_name = |name: &str| EventName::parse(name).is_ok();
    if matches!(pattern.trim(), "" | "*") || names(&pattern).all(is_name) {
        return Ok(pattern.into_owned());
    }
    Err(wrong("", "`*`, a name, or names with commas between: letters, digits and _.- without wildcards"))
}

/// Whether a pattern has an event's name, in any case.
pub(super) fn has_user_event(pattern: &str, event: &str) -> bool {
    pattern.trim() == "*" || names(pattern).any(|name| name.eq_ignore_ascii_case(event))
}

fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split(',').map(str::trim)
}

/// Reads a list of names out of these, in any case: a bit for each that it has.
fn read_names(value: Json<'_>, known: &[&str], expected: &'static str) -> Result<u8, SettingsError> {
    let mut has = 0;
    for (at, name) in value.texts().ok_or_else(|| wrong("", expected))?.iter().enumerate() {
        let place = known.iter().position(|known| name.eq_ignore_ascii_case(known));
        has |= 1 << place.ok_or_else(|| wrong(&at.to_string(), expected))?;
    }
    Ok(has)
}

/// Writes what [`read_names`] reads.
fn write_names(known: &[&str], has: &[bool]) -> String {
    let names: Vec<&str> = known.iter().zip(has).filter(|(_, has)| **has).map(|(name, _)| *name).collect();
    Writer::texts(&names)
}

impl SystemEvents {
    const NAMES: [&str; 3] = ["connect", "connected", "disconnected"];

    pub(super) fn read(value: Json<'_>) -> Result<Self, SettingsError> {
        let expected = "a list out of `connect`, `connected` and `disconnected`";
        let has = read_names(value, &Self::NAMES, expected)?;
        Ok(Self { connect: has & 1 != 0, connected: has & 2 != 0, disconnected: has & 4 != 0 })
    }

    pub(super) fn write(self) -> String {
        write_names(&Self::NAMES, &[self.connect, self.connected, self.disconnected])
    }
}

impl GroupPresence {
    const NAMES: [&str; 2] = ["joined", "left"];

    /// Whether it is about a group.
    pub(super) fn is_about(&self, group: &GroupName) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter == "*" || filter == group.as_str())
    }

    pub(super) fn read(value: Json<'_>) -> Result<Self, SettingsError> {
        let known = ["eventNames", "groupFilters"];
        let given = object(value, &known, "left out: it is no setting of group presence")?;
        let mut presence = Self::default();
        if let Some(names) = given.get("eventNames") {
            let has = read_names(names, &Self::NAMES, "a list out of `joined` and `left`");
            let has = has.map_err(|error| error.under("eventNames"))?;
            (presence.joined, presence.left) = (has & 1 != 0, has & 2 != 0);
        }
        if let Some(filters) = given.get("groupFilters") {
            presence.filters = read_filters(filters).map_err(|error| error.under("groupFilters"))?;
        }
        Ok(presence)
    }

    pub(super) fn write(&self) -> String {
        let mut presence = Writer::object();
        presence.json("eventNames", &write_names(&Self::NAMES, &[self.joined, self.left]));
        presence.json("groupFilters", &Writer::texts(&self.filters));
        presence.finish()
    }
}

fn read_filters(value: Json<'_>) -> Result<Vec<String>, SettingsError> {
    let filters = value.texts().ok_or_else(|| wrong("", "a list of strings"))?;
    let is_filter = |filter: &str| filter == "*" || !filter.contains('*') && GroupName::parse(filter).is_ok();
    match filters.iter().position(|filter| !is_filter(filter)) {
        None => Ok(filters),
        Some(at) => Err(wrong(&at.to_string(), "`*` or a group's name: wildcards in names are not served")),
    }
}
