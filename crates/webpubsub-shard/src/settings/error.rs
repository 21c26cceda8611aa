//! What is wrong with settings.

use std::fmt;

use webpubsub_protocol::name::HubName;

/// What is wrong with settings, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// The way to the value, such as `hubs.chat.anonymousConnectPolicy`; empty for the whole.
    pub path: String,
    /// What it should be.
    pub expected: &'static str,
}

impl SettingsError {
    /// The same, of a hub among others.
    pub(super) fn under_hub(self, hub: &HubName) -> Self {
        Self { path: ["hubs.", hub.as_str(), ".", &self.path].concat(), ..self }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the settings" } else { &self.path };
        write!(f, "{path} should be {}", self.expected)
    }
}

impl std::error::Error for SettingsError {}
