//! Which events a handler receives.

use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::{EventName, GroupName};
use webpubsub_protocol::role::GroupPattern;

use super::super::reader::{Reader, Source};

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

/// Which changes of memberships a handler receives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupPresence {
    /// `joined`.
    pub joined: bool,
    /// `left`.
    pub left: bool,
    /// Patterns of the groups that it receives this of; every group if there is none.
    pub filters: Vec<GroupPattern>,
}

/// Reads a `userEventPattern`: `*`, one name, or names with commas between; empty for none.
pub(super) fn user_events(reader: &mut Reader, value: Json<'_>) -> String {
    let pattern = value.text();
    let is_name = |name: &str| EventName::parse(name).is_ok();
    let is_pattern = |pattern: &str| matches!(pattern.trim(), "" | "*") || names(pattern).all(is_name);
    if !pattern.as_deref().is_some_and(is_pattern) {
        reader.wrong("`*`, a name, or names with commas between: letters, digits and _.- without wildcards");
    }
    pattern.unwrap_or_default().into_owned()
}

/// Whether a pattern has an event's name, in any case.
pub(super) fn has_user_event(pattern: &str, event: &str) -> bool {
    pattern.trim() == "*" || names(pattern).any(|name| name.eq_ignore_ascii_case(event))
}

fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split(',').map(str::trim)
}

/// Reads a list of names out of these, in any case: a bit for each that it has.
fn read_names(reader: &mut Reader, value: Json<'_>, known: &[&str], expected: &'static str) -> u8 {
    let mut has = 0;
    let names = value.texts();
    if names.is_none() {
        reader.wrong(expected);
    }
    for (at, name) in names.iter().flatten().enumerate() {
        match known.iter().position(|known| name.eq_ignore_ascii_case(known)) {
            Some(place) => has |= 1 << place,
            None => reader.wrong_at(&at.to_string(), expected),
        }
    }
    has
}

/// Writes what [`read_names`] reads.
fn write_names(known: &[&str], has: &[bool]) -> String {
    let names: Vec<&str> = known.iter().zip(has).filter(|(_, has)| **has).map(|(name, _)| *name).collect();
    Writer::texts(&names)
}

impl SystemEvents {
    const NAMES: [&str; 3] = ["connect", "connected", "disconnected"];

    pub(super) fn read(reader: &mut Reader, value: Json<'_>) -> Self {
        let expected = "a list out of `connect`, `connected` and `disconnected`";
        let has = read_names(reader, value, &Self::NAMES, expected);
        Self { connect: has & 1 != 0, connected: has & 2 != 0, disconnected: has & 4 != 0 }
    }

    pub(super) fn write(self) -> String {
        write_names(&Self::NAMES, &[self.connect, self.connected, self.disconnected])
    }
}

impl GroupPresence {
    const NAMES: [&str; 2] = ["joined", "left"];

    /// Whether it is about a group.
    pub(super) fn is_about(&self, group: &GroupName) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(group.as_str()))
    }

    pub(super) fn read(reader: &mut Reader, value: Json<'_>) -> Self {
        let known = ["eventNames", "groupFilters"];
        let given = reader.object(Some(value), &known, "left out: it is no setting of group presence");
        let mut presence = Self::default();
        if let Some(names) = reader.enter_member(&given, "eventNames") {
            let has = read_names(reader, names, &Self::NAMES, "a list out of `joined` and `left`");
            (presence.joined, presence.left) = (has & 1 != 0, has & 2 != 0);
            reader.leave();
        }
        if let Some(filters) = reader.enter_member(&given, "groupFilters") {
            presence.filters = read_filters(reader, filters);
            reader.leave();
        }
        presence
    }

    pub(super) fn write(&self) -> String {
        let mut presence = Writer::object();
        presence.json("eventNames", &write_names(&Self::NAMES, &[self.joined, self.left]));
        let filters: Vec<&str> = self.filters.iter().map(GroupPattern::as_str).collect();
        presence.json("groupFilters", &Writer::texts(&filters));
        presence.finish()
    }
}

fn read_filters(reader: &mut Reader, value: Json<'_>) -> Vec<GroupPattern> {
    let texts = value.texts();
    if texts.is_none() {
        reader.wrong("a list of strings");
    }
    let mut filters = Vec::new();
    for (at, text) in texts.iter().flatten().enumerate() {
        match GroupPattern::parse(text) {
            Ok(pattern) if !text.trim().is_empty() => filters.push(pattern),
            // Filters were names once.
            Err(_) if reader.source == Source::Stored => filters.push(GroupPattern::literally(text)),
            Ok(_) | Err(_) => reader.wrong_at(
                &at.to_string(),
                "a group's name or a pattern: `*`, `**` and `?` are wildcards, at most 5, and `\\` before one takes that from it",
            ),
        }
    }
    filters
}
