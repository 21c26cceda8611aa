//! Reading settings, with what is wrong and where.

use std::borrow::Cow;

use webpubsub_protocol::json::{Json, Members};

use super::error::SettingsError;

/// Reads settings: where it is, and the first thing that it found not as it should be.
pub(super) struct Reader {
    /// Where the settings come from.
    pub(super) source: Source,
    path: Vec<String>,
    error: Option<SettingsError>,
}

/// Where settings come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Somebody gives them.
    Given,
    /// The service stored them. An older version may have had other rules, and a hub must not lose
    /// all its settings to that.
    Stored,
}

/// The members of an object, under known names. One that is `null` is as if it were left out.
pub(super) struct Given<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Given<'a> {
    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<Json<'a>> {
        self.find(name).map(|(_, value)| *value)
    }

    /// How a name is written, whether or not it is given.
    pub(super) fn written<'b>(&'b self, name: &'b str) -> &'b str {
        self.find(name).map_or(name, |(written, _)| written)
    }

    fn find(&self, name: &str) -> Option<&(Cow<'a, str>, Json<'a>)> {
        self.0.iter().find(|(written, _)| is_name(name, written))
    }
}

/// Whether a name is written so, in any case. One has another in the emulator's settings file.
fn is_name(name: &str, written: &str) -> bool {
    name.eq_ignore_ascii_case(written)
        || name == "userEventPattern" && written.eq_ignore_ascii_case("eventPattern")
}

impl Reader {
    /// One at the beginning of settings.
    pub(super) const fn of(source: Source) -> Self {
        Self { source, path: Vec::new(), error: None }
    }

    /// Goes to a part of what it is at.
    pub(super) fn enter(&mut self, name: &str) {
        self.path.push(name.to_owned());
    }

    /// Goes back.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// What it is at should be something else.
    pub(super) fn wrong(&mut self, expected: &'static str) {
        if self.error.is_none() {
            self.error = Some(SettingsError { path: self.path.join("."), expected });
        }
    }

    /// A part of what it is at should be something else.
    pub(super) fn wrong_at(&mut self, name: &str, expected: &'static str) {
        self.enter(name);
        self.wrong(expected);
        self.leave();
    }

    /// Goes to a member where it is given, under its name as it is written. Whoever gets its value goes
    /// back with [`Reader::leave`].
    pub(super) fn enter_member<'a>(&mut self, given: &Given<'a>, name: &str) -> Option<Json<'a>> {
        let (written, value) = given.find(name)?;
        self.enter(written);
        Some(*value)
    }

    /// The members of an object, each of which should have one of these names, and each name once.
    pub(super) fn object<'a>(
        &mut self,
        value: Option<Json<'a>>,
        known: &[&str],
        unknown: &'static str,
    ) -> Given<'a> {
        let members = self.members(value);
        for (place, (written, _)) in members.iter().enumerate() {
            match known.iter().find(|name| is_name(name, written)) {
                None => self.wrong_at(written, unknown),
                Some(name) if members.iter().take(place).any(|(other, _)| is_name(name, other)) => {
                    self.wrong_at(written, "there once: names ignore case");
                }
                Some(_) => {}
            }
        }
        Given(members)
    }

    /// The members of an object that are not `null`.
    pub(super) fn members<'a>(&mut self, value: Option<Json<'a>>) -> Vec<(Cow<'a, str>, Json<'a>)> {
        let Some(value) = value else {
            self.wrong("JSON");
            return Vec::new();
        };
        let Some(Members(mut members)) = Members::parse(value.as_str()) else {
            self.wrong("an object");
            return Vec::new();
        };
        members.retain(|(_, value)| !value.is_null());
        members
    }

    /// What was read, if nothing is wrong.
    pub(super) fn finish<T>(self, read: T) -> Result<T, SettingsError> {
        self.error.map_or(Ok(read), Err)
    }
}
