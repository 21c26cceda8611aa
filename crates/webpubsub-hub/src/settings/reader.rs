//! Reading settings, with what is wrong and where.

use webpubsub_protocol::json::{Json, Members};

use super::SettingsError;

/// Reads settings: where it is, and the first thing that it found not as it should be.
#[derive(Default)]
pub(super) struct Reader {
    path: Vec<String>,
    error: Option<SettingsError>,
}

impl Reader {
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

    /// The members of an object, of which there should be none but those with these names.
    pub(super) fn object<'a>(
        &mut self,
        value: Option<Json<'a>>,
        known: &[&str],
        unknown: &'static str,
    ) -> Members<'a> {
        let members = self.members(value);
        if let Some((name, _)) = members.0.iter().find(|(name, _)| !known.contains(&&**name)) {
            self.wrong_at(name, unknown);
        }
        members
    }

    /// The members of an object.
    pub(super) fn members<'a>(&mut self, value: Option<Json<'a>>) -> Members<'a> {
        let Some(value) = value else {
            self.wrong("JSON");
            return Members::default();
        };
        Members::parse(value.as_str()).unwrap_or_else(|| {
            self.wrong("an object");
            Members::default()
        })
    }

    /// What was read, if nothing is wrong.
    pub(super) fn finish<T>(self, read: T) -> Result<T, SettingsError> {
        self.error.map_or(Ok(read), Err)
    }
}
